package org.pocketticket.textmodel.text

/** What a reader takes for one character, by the rules of Unicode's annex 29 (extended grapheme clusters). */
internal object Graphemes {
    private const val CR = 0xD
    private const val LF = 0xA
    private const val JOINER = 0x200D
    private val CONTROL by lazy { CodePointSet(UnicodeTables.CONTROL) }
    private val JOINS by lazy { CodePointSet(UnicodeTables.JOINS) }
    private val PREPENDED by lazy { CodePointSet(UnicodeTables.PREPENDED) }
    private val PICTOGRAPHS by lazy { CodePointSet(UnicodeTables.PICTOGRAPHS) }
    private val CONSONANTS by lazy { CodePointSet(UnicodeTables.CONSONANTS) }
    private val CONJOINS by lazy { CodePointSet(UnicodeTables.CONJOINS) }
    private val LINKERS by lazy { CodePointSet(UnicodeTables.LINKERS) }

    /** Where the grapheme ends that begins at `from`. */
    fun end(text: IntArray, from: Int, size: Int): Int {
        for (i in from + 1 until size) if (isEnd(text, from, i)) return i
        return size
    }

    private fun isEnd(text: IntArray, from: Int, at: Int): Boolean {
        val before = text[at - 1]
        val after = text[at]
        if (before < 0x7F && after < 0x7F) return before != CR || after != LF
        return when {
            before in CONTROL || after in CONTROL -> true
            after in JOINS || before in PREPENDED || hangul(before, after) -> false
            after in CONSONANTS -> !linked(text, from, at)
            before == JOINER && after in PICTOGRAPHS -> !pictograph(text, from, at)
            isRegional(before) && isRegional(after) -> (from until at).count { isRegional(text[it]) } % 2 == 0
            else -> true
        }
    }

    /** Whether a consonant, and behind it marks of which one links, come before `at`. */
    private fun linked(text: IntArray, from: Int, at: Int): Boolean {
        var i = at - 1
        var linker = false
        while (i >= from && text[i] in CONJOINS) linker = text[i--] in LINKERS || linker
        return linker && i >= from && text[i] in CONSONANTS
    }

    private fun pictograph(text: IntArray, from: Int, at: Int): Boolean {
        var i = at - 2
        while (i >= from && text[i] in JOINS) i--
        return i >= from && text[i] in PICTOGRAPHS
    }

    private fun isRegional(c: Int): Boolean = c in 0x1F1E6..0x1F1FF

    private fun hangul(before: Int, after: Int): Boolean {
        val second = kindOfJamo(after)
        return when (kindOfJamo(before)) {
            LEAD -> second == LEAD || second == VOWEL || second == OPEN || second == CLOSED
            VOWEL, OPEN -> second == VOWEL || second == TRAIL
            TRAIL, CLOSED -> second == TRAIL
            else -> false
        }
    }

    private fun kindOfJamo(c: Int): Int = when (c) {
        in 0x1100..0x115F, in 0xA960..0xA97C -> LEAD
        in 0x1160..0x11A7, in 0xD7B0..0xD7C6 -> VOWEL
        in 0x11A8..0x11FF, in 0xD7CB..0xD7FB -> TRAIL
        in 0xAC00..0xD7A3 -> if ((c - 0xAC00) % 28 == 0) OPEN else CLOSED
        else -> NONE
    }

    private const val NONE = 0
    private const val LEAD = 1
    private const val VOWEL = 2
    private const val TRAIL = 3
    private const val OPEN = 4
    private const val CLOSED = 5
}
