package org.pocketticket.textmodel.text

/**
 * The pieces with the largest sum of scores (Unigram). A character that is no piece costs more than every piece, and
 * neighbors that are unknown become one token; with `byteFallback` they become their bytes, as pieces "<0xE9>".
 */
internal class Unigram(
    private val vocabulary: Vocabulary,
    private val unknown: Int,
    private val byteFallback: Boolean,
) : Pieces {
    private val unknownScore = vocabulary.lowestScore - UNKNOWN_PENALTY
    private val bytePieces by lazy { bytePieces(vocabulary) }

    override fun split(word: TracedText, piece: (id: Int, first: Int, end: Int) -> Unit) {
        val utf8 = Utf8(word)
        val best = Path(utf8.size)
        for (from in 0 until utf8.size) {
            if (from > 0 && utf8.indexOf[from] == utf8.indexOf[from - 1]) continue // within a character
            val width = Utf8.width(word.codePoints[utf8.indexOf[from]])
            val till = best.score[from]
            var single = false
            vocabulary.prefixes(utf8.bytes, from, utf8.size) { length, found ->
                best.offer(from, from + length, vocabulary.id(found), till + vocabulary.score(found))
                if (length == width) single = true
            }
            if (!single) best.offer(from, from + width, unknown, till + unknownScore)
        }
        best.walk(unknown) { id, from, to -> give(utf8, id, from, to, piece) }
    }

    private fun give(utf8: Utf8, id: Int, from: Int, to: Int, piece: (id: Int, first: Int, end: Int) -> Unit) {
        val first = utf8.indexOf[from]
        val end = utf8.indexOf[to]
        val known = if (id == unknown) vocabulary.find(utf8.bytes, from, to) else id
        when {
            known >= 0 -> piece(known, first, end)
            byteFallback && (from until to).all { bytePieces[utf8.bytes[it].toInt() and 0xFF] >= 0 } ->
                for (b in from until to) piece(bytePieces[utf8.bytes[b].toInt() and 0xFF], first, end)
            else -> piece(unknown, first, end)
        }
    }

    private companion object {
        const val UNKNOWN_PENALTY = 10.0
    }
}

/** The best way to every byte of a word: its score, and the last piece on it. */
private class Path(size: Int) {
    val score = DoubleArray(size + 1)
    private val from = IntArray(size + 1) { -1 }
    private val ids = IntArray(size + 1)

    /** Takes the piece [first, end) if no way to its end is as good. */
    fun offer(first: Int, end: Int, id: Int, sum: Double) {
        if (from[end] >= 0 && sum <= score[end]) return
        score[end] = sum
        from[end] = first
        ids[end] = id
    }

    /** The pieces of the best way in order; neighbors that are `joined` as one. */
    inline fun walk(joined: Int, piece: (id: Int, from: Int, to: Int) -> Unit) {
        val ends = ArrayList<Int>()
        var end = from.size - 1
        while (end > 0) {
            ends.add(end)
            end = from[end]
        }
        var i = ends.size - 1
        while (i >= 0) {
            val start = from[ends[i]]
            val id = ids[ends[i]]
            if (id == joined) while (i > 0 && ids[ends[i - 1]] == joined) i--
            piece(id, start, ends[i])
            i--
        }
    }
}
