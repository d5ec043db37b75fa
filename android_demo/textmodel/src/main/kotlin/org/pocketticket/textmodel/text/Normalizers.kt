package org.pocketticket.textmodel.text

/** Makes another text of a text. Each step of tokenizer.json's normalizer is one. */
internal fun interface Normalizer {
    fun normalize(text: TracedText): TracedText
}

internal class Normalizers(private val steps: List<Normalizer>) : Normalizer {
    override fun normalize(text: TracedText): TracedText =
        steps.fold(text) { made, step -> if (made.size == 0) made else step.normalize(made) }
}

internal object Lowercase : Normalizer {
    private val LOWER by lazy { readNumbers(UnicodeTables.LOWER) }
    private val LOWER_TEXTS by lazy { readTexts(UnicodeTables.LOWER_TEXTS) }

    override fun normalize(text: TracedText): TracedText = text.map { c, start, end ->
        val texts = LOWER_TEXTS[c]
        if (texts != null) texts.forEach { add(it, start, end) } else add(c + (LOWER[c] ?: 0), start, end)
    }
}

/** Drops combining marks; it decomposes nothing. */
internal object StripAccents : Normalizer {
    private val MARKS by lazy { CodePointSet(UnicodeTables.MARKS) }

    override fun normalize(text: TracedText): TracedText = text.map { c, start, end -> if (c !in MARKS) add(c, start, end) }
}

/** Drops white space at the ends. */
internal class Strip(private val left: Boolean, private val right: Boolean) : Normalizer {
    override fun normalize(text: TracedText): TracedText {
        var from = 0
        var to = text.size
        if (left) while (from < to && text.codePoints[from] in WHITE_SPACE) from++
        if (right) while (from < to && text.codePoints[to - 1] in WHITE_SPACE) to--
        return text.slice(from, to)
    }
}

/** Puts `text` before every text that is not empty. */
internal class Prepend(text: String) : Normalizer {
    private val added = codePoints(text)

    override fun normalize(text: TracedText): TracedText = if (text.size == 0) text else prepended(added, text)
}

internal fun prepended(added: IntArray, text: TracedText): TracedText {
    val result = TracedText(added.size + text.size)
    added.forEach { result.add(it, text.starts[0], text.ends[0]) }
    for (i in 0 until text.size) result.add(text.codePoints[i], text.starts[i], text.ends[i])
    return result
}

/** Replaces every stretch that `match` finds; what comes in takes the place of the stretch's last code point. */
internal class Replace(content: String, private val match: Match) : Normalizer {
    /** The end of the stretch to replace that begins at `from`; `from` itself: there is none. */
    fun interface Match {
        fun endOf(text: TracedText, from: Int): Int
    }

    private val added = codePoints(content)

    override fun normalize(text: TracedText): TracedText {
        val result = TracedText(text.size + 16)
        var i = 0
        while (i < text.size) {
            val end = match.endOf(text, i)
            if (end == i) {
                result.add(text.codePoints[i], text.starts[i], text.ends[i])
                i++
            } else {
                added.forEach { result.add(it, text.starts[end - 1], text.ends[end - 1]) }
                i = end
            }
        }
        return result
    }

    companion object {
        /** The text itself. */
        fun literal(text: String): Match {
            val wanted = codePoints(text)
            return Match { traced, from ->
                val fits = from + wanted.size <= traced.size && wanted.indices.all { traced.codePoints[from + it] == wanted[it] }
                if (fits) from + wanted.size else from
            }
        }

        /** One code point of `ranges` (first, last, first, last …), or with `run` > 0 all that follow each other, at least `run`. */
        fun anyOf(ranges: IntArray, run: Int): Match {
            fun has(c: Int) = (ranges.indices step 2).any { c in ranges[it]..ranges[it + 1] }
            return Match { traced, from ->
                var end = from
                while (end < traced.size && (run > 0 || end == from) && has(traced.codePoints[end])) end++
                if (end - from >= maxOf(run, 1)) end else from
            }
        }
    }
}

internal val WHITE_SPACE by lazy { CodePointSet(UnicodeTables.SEPARATORS) }

internal fun codePoints(text: String): IntArray = TracedText.of(text).let { it.codePoints.copyOf(it.size) }
