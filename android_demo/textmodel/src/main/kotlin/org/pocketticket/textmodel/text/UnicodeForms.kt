package org.pocketticket.textmodel.text

/** Unicode's normalization forms, with the tables and the order of marks of Hugging Face's library. */
internal class UnicodeForm(private val compatible: Boolean, private val composed: Boolean) : Normalizer {
    override fun normalize(text: TracedText): TracedText {
        // below these code points a form changes nothing, and nothing is composed of them alone
        val first = if (compatible) FIRST_COMPATIBLE else if (composed) FIRST_MARK else FIRST_DECOMPOSED
        if ((0 until text.size).all { text.codePoints[it] < first }) return text
        val parts = decompose(text)
        return text.transform(if (composed) compose(parts) else parts)
    }

    private fun decompose(text: TracedText): Changes {
        val parts = Changes(text.size + 16)
        for (i in 0 until text.size) {
            val c = text.codePoints[i]
            when {
                c < FIRST_COMPATIBLE -> parts.add(c, 0)
                c in HANGUL -> {
                    val syllable = c - HANGUL.first
                    parts.add(LEADING + syllable / (VOWELS * TRAILS), 0)
                    parts.add(VOWEL + syllable % (VOWELS * TRAILS) / TRAILS, 1)
                    if (syllable % TRAILS != 0) parts.add(TRAIL + syllable % TRAILS, 1)
                }
                else -> ((if (compatible) COMPATIBLE[c] else null) ?: DECOMPOSED[c])
                    ?.forEachIndexed { place, part -> parts.add(part, if (place == 0) 0 else 1) }
                    ?: parts.add(c, 0)
            }
        }
        sortMarks(parts)
        return parts
    }

    /** Sorts every stretch of marks by combining class; marks of one class keep their order. */
    private fun sortMarks(parts: Changes) {
        var from = 0
        while (from < parts.size) {
            var to = from
            while (to < parts.size && combiningClass(parts.codePoints[to]) != 0) to++
            if (to - from > 1) parts.reorder(from, (from until to).sortedBy { combiningClass(parts.codePoints[it]) })
            from = to + 1
        }
    }

    /** Unicode's canonical composition: every mark that is not blocked joins the letter before it, where there is one. */
    private fun compose(parts: Changes): Changes {
        val result = Changes(parts.size)
        var letter = -1
        var change = 0
        val waiting = Changes(8)
        var pending = 0 // entries of `waiting` that belong to the letter
        var lastClass = -1
        fun flush() {
            if (letter >= 0) result.add(letter, change)
            for (i in waiting.size - pending until waiting.size) result.add(waiting.codePoints[i], waiting.changes[i])
            pending = 0
            lastClass = -1
        }
        for (i in 0 until parts.size) {
            val c = parts.codePoints[i]
            val cls = combiningClass(c)
            if (letter < 0) {
                if (cls != 0) result.add(c, parts.changes[i]) else { letter = c; change = parts.changes[i] }
                continue
            }
            val joined = if (lastClass < 0 || lastClass < cls) pair(letter, c) else -1
            when {
                joined >= 0 -> { letter = joined; change += parts.changes[i] - 1 }
                cls == 0 -> { flush(); letter = c; change = parts.changes[i] }
                else -> { waiting.add(c, parts.changes[i]); pending++; lastClass = cls }
            }
        }
        flush()
        return result
    }

    private fun pair(first: Int, second: Int): Int = when {
        first in LEADING until LEADING + LEADS && second in VOWEL until VOWEL + VOWELS ->
            HANGUL.first + ((first - LEADING) * VOWELS + second - VOWEL) * TRAILS
        first in HANGUL && (first - HANGUL.first) % TRAILS == 0 && second in TRAIL + 1 until TRAIL + TRAILS ->
            first + second - TRAIL
        else -> COMPOSED[first.toLong() shl 32 or second.toLong()] ?: -1
    }

    companion object {
        private const val FIRST_COMPATIBLE = 0xA0
        private const val FIRST_DECOMPOSED = 0xC0
        private const val FIRST_MARK = 0x300
        private const val LEADING = 0x1100
        private const val LEADS = 19
        private const val VOWEL = 0x1161
        private const val VOWELS = 21
        private const val TRAIL = 0x11A7
        private const val TRAILS = 28
        private val HANGUL = 0xAC00..0xD7A3
        private val COMBINING by lazy { readNumbers(UnicodeTables.COMBINING) }
        private val DECOMPOSED by lazy { readTexts(UnicodeTables.DECOMPOSED) }
        private val COMPATIBLE by lazy { readTexts(UnicodeTables.COMPATIBLE) }
        private val COMPOSED: Map<Long, Int> by lazy {
            readTexts(UnicodeTables.COMPOSED).entries.associate { (c, parts) -> (parts[0].toLong() shl 32 or parts[1].toLong()) to c }
        }

        private fun combiningClass(c: Int): Int = if (c < FIRST_MARK) 0 else COMBINING[c] ?: 0

        val NFC = UnicodeForm(compatible = false, composed = true)
        val NFD = UnicodeForm(compatible = false, composed = false)
        val NFKC = UnicodeForm(compatible = true, composed = true)
        val NFKD = UnicodeForm(compatible = true, composed = false)
    }
}
