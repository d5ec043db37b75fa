package org.pocketticket.textmodel.text

/** Greedy longest-match splitting (WordPiece). `ids` gives a piece's id, or −1. */
internal class WordPiece(
    private val ids: (String) -> Int,
    private val longest: Int,
    private val unknown: Int,
    private val continuation: String,
    private val maxWordChars: Int,
) : Pieces {
    /** A word that is too long, or that can't be composed to its end, is one unknown token. */
    override fun split(word: TracedText, piece: (id: Int, first: Int, end: Int) -> Unit) {
        if (word.size > maxWordChars) return piece(unknown, 0, word.size)
        val found = ArrayList<IntArray>()
        var start = 0
        while (start < word.size) {
            val match = longestMatch(word, start) ?: return piece(unknown, 0, word.size)
            found.add(match)
            start = match[2]
        }
        found.forEach { (id, first, end) -> piece(id, first, end) }
    }

    private fun longestMatch(word: TracedText, start: Int): IntArray? {
        val prefix = if (start > 0) continuation else ""
        for (end in minOf(word.size, start + longest) downTo start + 1) {
            val id = ids(prefix + String(word.codePoints, start, end - start))
            if (id >= 0) return intArrayOf(id, start, end)
        }
        return null
    }

    companion object {
        /** The tokens of vocab.txt, split at line feeds only: other line ends of Unicode may be tokens. Line number = id. */
        fun readVocabulary(text: String): Map<String, Int> {
            val ids = HashMap<String, Int>()
            text.removeSuffix("\n").split('\n').forEachIndexed { id, token -> ids[token.removeSuffix("\r")] = id }
            return ids
        }
    }
}
