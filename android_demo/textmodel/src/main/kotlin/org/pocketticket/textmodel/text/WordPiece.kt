package org.pocketticket.textmodel.text

/** A vocabulary and greedy longest-match splitting (WordPiece). Line number of vocab.txt = id. */
internal class WordPiece(
    private val ids: Map<String, Int>,
    unknown: String,
    private val continuation: String,
    private val maxWordChars: Int,
) {
    private val unknownId = requireNotNull(ids[unknown]) { "vocab.txt lacks the unknown token $unknown" }
    private val longest = ids.keys.maxOf { it.length }

    fun id(token: String): Int = requireNotNull(ids[token]) { "vocab.txt lacks the token $token" }

    fun idOrNull(token: String): Int? = ids[token]

    /**
     * The pieces of the word [from, to) of a text: calls `piece(id, first, end)` for each. A word that is too long, or
     * that can't be composed to its end, is one unknown token.
     */
    fun split(text: TracedText, from: Int, to: Int, piece: (id: Int, first: Int, end: Int) -> Unit) {
        if (to - from > maxWordChars) return piece(unknownId, from, to)
        val found = ArrayList<IntArray>()
        var start = from
        while (start < to) {
            val match = longestMatch(text, start, to, start > from) ?: return piece(unknownId, from, to)
            found.add(match)
            start = match[2]
        }
        found.forEach { (id, first, end) -> piece(id, first, end) }
    }

    private fun longestMatch(text: TracedText, start: Int, to: Int, continued: Boolean): IntArray? {
        val prefix = if (continued) continuation else ""
        for (end in minOf(to, start + longest) downTo start + 1) {
            val id = ids[prefix + String(text.codePoints, start, end - start)]
            if (id != null) return intArrayOf(id, start, end)
        }
        return null
    }

    companion object {
        /** The tokens of vocab.txt, split at line feeds only: other line ends of Unicode may be tokens. */
        fun readVocabulary(text: String): Map<String, Int> {
            val ids = HashMap<String, Int>()
            text.removeSuffix("\n").split('\n').forEachIndexed { id, token -> ids[token.removeSuffix("\r")] = id }
            return ids
        }
    }
}
