package org.pocketticket.textmodel.text

/**
 * BERT's normalizer: clean the text, put spaces around Chinese characters, strip accents, lower the case.
 *
 * The steps, their order and every table are those of Hugging Face's BertNormalizer; `stripAccents` null means "as
 * `lowercase`".
 */
internal class BertNormalizer(
    private val cleanText: Boolean,
    private val chineseChars: Boolean,
    private val lowercase: Boolean,
    stripAccents: Boolean?,
) : Normalizer {
    private val strip = stripAccents ?: lowercase

    override fun normalize(text: TracedText): TracedText {
        var traced = text
        if (cleanText) {
            traced = traced.map { c, start, end ->
                if (c !in REMOVED) add(if (c in SPACES) SPACE else c, start, end)
            }
        }
        if (chineseChars) {
            traced = traced.map { c, start, end ->
                val alone = c >= FIRST_CHINESE && c in CHINESE
                if (alone) add(SPACE, start, end)
                add(c, start, end)
                if (alone) add(SPACE, start, end)
            }
        }
        if (strip) {
            traced = UnicodeForm.NFD.normalize(traced).map { c, start, end ->
                if (c < FIRST_MARK || c !in NONSPACING) add(c, start, end)
            }
        }
        return if (lowercase) Lowercase.normalize(traced) else traced
    }

    private companion object {
        const val SPACE = 0x20
        const val FIRST_CHINESE = 0x3400
        const val FIRST_MARK = 0x300
        val REMOVED = CodePointSet(UnicodeTables.REMOVED)
        val SPACES = CodePointSet(UnicodeTables.SPACES)
        val CHINESE = CodePointSet(UnicodeTables.CHINESE)
        val NONSPACING = CodePointSet(UnicodeTables.NONSPACING)
    }
}
