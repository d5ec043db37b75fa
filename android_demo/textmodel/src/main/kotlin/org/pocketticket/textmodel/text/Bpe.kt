package org.pocketticket.textmodel.text

import java.util.PriorityQueue

/**
 * Byte-pair encoding: neighbors merge, the pair of the lowest rank first, of equal ones the leftmost.
 *
 * `unknown` −1: what the vocabulary lacks is left out. `byteFallback`: it becomes its bytes, as pieces "<0xE9>".
 */
internal class Bpe(
    private val vocabulary: Vocabulary,
    private val unknown: Int,
    private val fuseUnknown: Boolean,
    private val byteFallback: Boolean,
    private val ignoreMerges: Boolean,
    private val prefix: String,
    private val suffix: String,
) : Pieces {
    private val bytePieces = bytePieces(vocabulary)

    override fun split(word: TracedText, piece: (id: Int, first: Int, end: Int) -> Unit) {
        val utf8 = Utf8(word)
        if (ignoreMerges) {
            val id = vocabulary.find(utf8.bytes, 0, utf8.size)
            if (id >= 0) return piece(id, 0, word.size)
        }
        val symbols = Symbols(utf8.size)
        addSymbols(word, utf8, symbols)
        symbols.merge(vocabulary)
        symbols.forEach { id, from, to ->
            // a byte of a character counts as all of it
            piece(id, utf8.indexOf[from], utf8.indexOf[to - 1] + 1)
        }
    }

    private fun addSymbols(word: TracedText, utf8: Utf8, symbols: Symbols) {
        var unknownFrom = -1
        var from = 0
        for (i in 0 until word.size) {
            val to = from + Utf8.width(word.codePoints[i])
            var text = utf8.bytes.copyOfRange(from, to)
            if (i > 0 && prefix.isNotEmpty()) text = prefix.toByteArray() + text
            if (i == word.size - 1 && suffix.isNotEmpty()) text += suffix.toByteArray()
            val id = vocabulary.find(text, 0, text.size)
            if (id < 0 && byteFallback && text.all { bytePieces[it.toInt() and 0xFF] >= 0 }) {
                text.forEachIndexed { b, byte -> symbols.add(bytePieces[byte.toInt() and 0xFF], from + b, from + b + 1) }
            } else if (id < 0) {
                if (unknownFrom >= 0 && !fuseUnknown) symbols.add(unknown, unknownFrom, from)
                if (unknown >= 0 && (unknownFrom < 0 || !fuseUnknown)) unknownFrom = from
            } else {
                if (unknownFrom >= 0) symbols.add(unknown, unknownFrom, from)
                unknownFrom = -1
                symbols.add(id, from, to)
            }
            from = to
        }
        if (unknownFrom >= 0) symbols.add(unknown, unknownFrom, from)
    }
}

/** The ids of the pieces "<0x00>" … "<0xFF>"; −1: there is none. */
internal fun bytePieces(vocabulary: Vocabulary): IntArray = IntArray(256) { byte ->
    vocabulary.find("<0x" + (byte or 0x100).toString(16).substring(1).uppercase(java.util.Locale.ROOT) + ">")
}

/** A word's symbols as a chain: each one's id, its bytes [from, to), and its neighbors. */
private class Symbols(capacity: Int) {
    private val ids = IntArray(capacity)
    private val from = IntArray(capacity)
    private val to = IntArray(capacity)
    private val before = IntArray(capacity)
    private val behind = IntArray(capacity)
    private val gone = BooleanArray(capacity)
    private var size = 0

    fun add(id: Int, first: Int, end: Int) {
        ids[size] = id
        from[size] = first
        to[size] = end
        before[size] = size - 1
        behind[size] = size + 1
        size++
    }

    /** Merges until no neighbors are left that do. */
    fun merge(vocabulary: Vocabulary) {
        val queue = PriorityQueue<LongArray>(16) { a, b -> if (a[0] != b[0]) a[0].compareTo(b[0]) else a[1].compareTo(b[1]) }
        fun offer(place: Int) {
            if (place < 0 || behind[place] >= size) return
            val merged = vocabulary.merge(ids[place], ids[behind[place]])
            if (merged >= 0) queue.add(longArrayOf(merged ushr 32, place.toLong(), merged and 0xFFFFFFFFL))
        }
        for (place in 0 until size) offer(place)
        while (true) {
            val (_, at, id) = queue.poll() ?: return
            val place = at.toInt()
            val next = behind[place]
            // an entry is stale when its symbols have merged with others in between
            if (gone[place] || next >= size) continue
            val merged = vocabulary.merge(ids[place], ids[next])
            if (merged < 0 || merged and 0xFFFFFFFFL != id) continue
            ids[place] = id.toInt()
            to[place] = to[next]
            behind[place] = behind[next]
            gone[next] = true
            if (behind[place] < size) before[behind[place]] = place
            offer(before[place])
            offer(place)
        }
    }

    inline fun forEach(symbol: (id: Int, from: Int, to: Int) -> Unit) {
        var place = 0
        while (place < size) {
            symbol(ids[place], from[place], to[place])
            place = behind[place]
        }
    }
}
