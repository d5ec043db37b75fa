package org.pocketticket.textmodel.text

/** Text as code points, each with the stretch [start, end) of the original UTF-16 text that it came from. */
internal class TracedText(size: Int) {
    var codePoints = IntArray(size)
        private set
    var starts = IntArray(size)
        private set
    var ends = IntArray(size)
        private set
    var size = 0
        private set

    fun add(codePoint: Int, start: Int, end: Int) {
        if (size == codePoints.size) {
            val larger = size * 2 + 16
            codePoints = codePoints.copyOf(larger)
            starts = starts.copyOf(larger)
            ends = ends.copyOf(larger)
        }
        codePoints[size] = codePoint
        starts[size] = start
        ends[size] = end
        size++
    }

    /**
     * Puts the code points of [from, from + order.size) into another order: the i-th comes from place `order[i]`. Where
     * they came from stays in the text's order, as Hugging Face has it, so that a word's stretch has no holes.
     */
    fun reorder(from: Int, order: List<Int>) {
        order.map { codePoints[it] }.forEachIndexed { i, codePoint -> codePoints[from + i] = codePoint }
    }

    inline fun map(step: TracedText.(codePoint: Int, start: Int, end: Int) -> Unit): TracedText {
        val result = TracedText(size + 16)
        for (i in 0 until size) result.step(codePoints[i], starts[i], ends[i])
        return result
    }
}

/**
 * BERT's normalizer: clean the text, put spaces around Chinese characters, strip accents, lower the case.
 *
 * The steps, their order and every table are those of Hugging Face's BertNormalizer; `stripAccents` null means "as
 * `lowercase`". A lone surrogate counts as U+FFFD, as in any conversion to UTF-8.
 */
internal class BertNormalizer(
    private val cleanText: Boolean,
    private val chineseChars: Boolean,
    private val lowercase: Boolean,
    stripAccents: Boolean?,
) {
    private val strip = stripAccents ?: lowercase

    fun normalize(text: String, from: Int, to: Int): TracedText {
        var traced = read(text, from, to)
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
            traced = decompose(traced).map { c, start, end ->
                if (c < FIRST_MARK || c !in NONSPACING) add(c, start, end)
            }
        }
        if (lowercase) {
            traced = traced.map { c, start, end ->
                val texts = LOWER_TEXTS[c]
                if (texts != null) texts.forEach { add(it, start, end) } else add(c + (LOWER[c] ?: 0), start, end)
            }
        }
        return traced
    }

    private fun read(text: String, from: Int, to: Int): TracedText {
        val traced = TracedText(to - from)
        var i = from
        while (i < to) {
            val pair = text[i].isHighSurrogate() && i + 1 < to && text[i + 1].isLowSurrogate()
            val width = if (pair) 2 else 1
            val codePoint = if (pair) Character.toCodePoint(text[i], text[i + 1]) else text[i].code
            traced.add(if (!pair && text[i].isSurrogate()) REPLACEMENT else codePoint, i, i + width)
            i += width
        }
        return traced
    }

    /** Canonical decomposition (NFD), the marks of each letter in canonical order. */
    private fun decompose(text: TracedText): TracedText {
        val result = text.map { c, start, end ->
            when {
                c < FIRST_DECOMPOSED -> add(c, start, end)
                c in HANGUL -> {
                    val syllable = c - HANGUL.first
                    add(0x1100 + syllable / (21 * 28), start, end)
                    add(0x1161 + syllable % (21 * 28) / 28, start, end)
                    if (syllable % 28 != 0) add(0x11A7 + syllable % 28, start, end)
                }
                else -> DECOMPOSED[c]?.forEach { add(it, start, end) } ?: add(c, start, end)
            }
        }
        sortMarks(result)
        return result
    }

    /** Sorts every stretch of marks by combining class; marks of one class keep their order. */
    private fun sortMarks(text: TracedText) {
        var from = 0
        while (from < text.size) {
            var to = from
            while (to < text.size && combiningClass(text.codePoints[to]) != 0) to++
            if (to - from > 1) text.reorder(from, (from until to).sortedBy { combiningClass(text.codePoints[it]) })
            from = to + 1
        }
    }

    private fun combiningClass(c: Int): Int = if (c < FIRST_MARK) 0 else COMBINING[c] ?: 0

    private companion object {
        const val SPACE = 0x20
        const val REPLACEMENT = 0xFFFD
        const val FIRST_CHINESE = 0x3400
        const val FIRST_DECOMPOSED = 0xC0
        const val FIRST_MARK = 0x300
        val HANGUL = 0xAC00..0xD7A3
        val REMOVED = CodePointSet(UnicodeTables.REMOVED)
        val SPACES = CodePointSet(UnicodeTables.SPACES)
        val CHINESE = CodePointSet(UnicodeTables.CHINESE)
        val NONSPACING = CodePointSet(UnicodeTables.NONSPACING)
        val COMBINING = readNumbers(UnicodeTables.COMBINING)
        val LOWER = readNumbers(UnicodeTables.LOWER)
        val LOWER_TEXTS = readTexts(UnicodeTables.LOWER_TEXTS)
        val DECOMPOSED = readTexts(UnicodeTables.DECOMPOSED)
    }
}
