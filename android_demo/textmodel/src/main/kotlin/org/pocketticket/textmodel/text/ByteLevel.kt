package org.pocketticket.textmodel.text

/**
 * GPT-2's words, each byte of which stands as a character of its own.
 *
 * Words are what the pattern `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` finds; the
 * platform's regular expressions know another Unicode, so a scanner over generated tables finds them.
 */
internal class ByteLevel(private val prefixSpace: Boolean, private val pattern: Boolean) : PreTokenizer {
    override fun split(text: TracedText, words: MutableList<TracedText>) {
        val whole = if (prefixSpace && text.codePoints[0] != SPACE) prepended(intArrayOf(SPACE), text) else text
        var from = 0
        while (from < whole.size) {
            val to = if (pattern) endOfWord(whole.codePoints, from, whole.size) else whole.size
            words.add(asBytes(whole, from, to))
            from = to
        }
    }

    private fun endOfWord(text: IntArray, from: Int, size: Int): Int {
        if (text[from] == QUOTE) contraction(text, from, size)?.let { return it }
        val first = if (text[from] == SPACE && from + 1 < size) from + 1 else from
        val kind = kindOf(text[first])
        var end = first
        if (kind != BLANK) {
            while (end < size && kindOf(text[end]) == kind) end++
            return end
        }
        end = from
        while (end < size && kindOf(text[end]) == BLANK) end++
        return if (end < size && end - from > 1) end - 1 else end // the last blank belongs to the word behind it
    }

    private fun contraction(text: IntArray, from: Int, size: Int): Int? {
        val one = if (from + 1 < size) text[from + 1].toChar() else return null
        if (text[from + 1] > 'z'.code) return null
        if (one in "stmd") return from + 2
        val two = if (from + 2 < size && text[from + 2] <= 'z'.code) text[from + 2].toChar() else return null
        return if ("$one$two" in LONG_CONTRACTIONS) from + 3 else null
    }

    private fun asBytes(text: TracedText, from: Int, to: Int): TracedText {
        val result = TracedText((to - from) * 2)
        val bytes = ByteArray(4)
        for (i in from until to) {
            val width = Utf8.write(text.codePoints[i], bytes, 0)
            for (b in 0 until width) result.add(CHARACTERS[bytes[b].toInt() and 0xFF], text.starts[i], text.ends[i])
        }
        return result
    }

    companion object {
        private const val SPACE = 0x20
        private const val QUOTE = 0x27
        private const val BLANK = 0
        private val LONG_CONTRACTIONS = setOf("re", "ve", "ll")
        private val LETTERS by lazy { CodePointSet(UnicodeTables.LETTERS) }
        private val NUMBERS by lazy { CodePointSet(UnicodeTables.NUMBERS) }

        /** What each byte looks like in a vocabulary: printable Latin-1 as itself, the rest from U+0100 on. */
        private val CHARACTERS = IntArray(256).also { table ->
            var next = 0x100
            for (b in 0..0xFF) table[b] = if (b in 0x21..0x7E || b in 0xA1..0xAC || b in 0xAE..0xFF) b else next++
        }

        /** A space in a piece. */
        val MARK = CHARACTERS[SPACE]

        private fun kindOf(c: Int): Int = if (c in LETTERS) 1 else if (c in NUMBERS) 2 else if (c in WHITE_SPACE) BLANK else 3
    }
}
