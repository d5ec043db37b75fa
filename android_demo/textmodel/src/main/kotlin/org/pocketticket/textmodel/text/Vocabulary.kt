package org.pocketticket.textmodel.text

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** From a word to its pieces. */
internal fun interface Pieces {
    /** Calls `piece(id, first, end)` for each piece of the word, which is not empty: it stands for [first, end) of it. */
    fun split(word: TracedText, piece: (id: Int, first: Int, end: Int) -> Unit)
}

/**
 * The pieces of a bundle's vocabulary file (docs/bundle.md has its format), sorted by their UTF-8 bytes.
 *
 * It reads from the file's bytes in place: a vocabulary of 250,000 pieces is ready in a few milliseconds.
 * Throws IllegalArgumentException for a file that is none, or of a later version.
 */
internal class Vocabulary(private val file: ByteArray) {
    private val data = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN)
    private val size: Int
    private val scoreWidth: Int
    private val ids: Int
    private val scores: Int
    private val merges: Int
    private val mergeCount: Int

    /** Where each piece's bytes begin; the last entry is where the last piece ends. */
    private val starts: IntArray

    /** The lowest of all scores. */
    val lowestScore: Double
        get() = (0 until size).minOf(::score)

    /** The length of the longest piece in bytes. */
    val longest: Int

    /** The precompiled map of characters (Precompiled); empty: there is none. */
    val charsmap: ByteBuffer

    init {
        require(file.size >= HEADER && data.getInt(0) == MAGIC) { "it is no vocabulary file" }
        require(data.getInt(4) == VERSION) { "its version is ${data.getInt(4)}, this app reads version $VERSION" }
        size = data.getInt(8)
        scoreWidth = data.getInt(12)
        mergeCount = data.getInt(16)
        val mapBytes = data.getInt(20)
        ids = HEADER + 2 * size
        scores = ids + 4 * size
        merges = scores + scoreWidth * size
        val map = merges + 16 * mergeCount
        val sane = size > 0 && mergeCount >= 0 && mapBytes >= 0 && scoreWidth in setOf(0, 4, 8)
        require(sane && map.toLong() + mapBytes <= file.size) { "its header is damaged" }
        charsmap = ByteBuffer.wrap(file, map, mapBytes).slice().order(ByteOrder.LITTLE_ENDIAN)
        starts = IntArray(size + 1)
        starts[0] = map + mapBytes
        for (i in 0 until size) starts[i + 1] = starts[i] + (data.getShort(HEADER + 2 * i).toInt() and 0xFFFF)
        longest = (0 until size).maxOf { starts[it + 1] - starts[it] }
        require(starts[size] == file.size) { "its pieces end at ${starts[size]} of ${file.size} bytes" }
    }

    fun id(piece: Int): Int = data.getInt(ids + 4 * piece)

    fun score(piece: Int): Double =
        if (scoreWidth == 4) data.getFloat(scores + 4 * piece).toDouble() else data.getDouble(scores + 8 * piece)

    /** The id of a piece; −1: there is none. */
    fun find(text: String): Int = text.toByteArray().let { find(it, 0, it.size) }

    /** The id of the piece `text[from, to)`; −1: there is none. */
    fun find(text: ByteArray, from: Int, to: Int): Int {
        var found = -1
        prefixes(text, from, to) { length, piece -> if (length == to - from) found = id(piece) }
        return found
    }

    /** Every piece that `text[from, to)` begins with, from the shortest on. */
    inline fun prefixes(text: ByteArray, from: Int, to: Int, found: (length: Int, piece: Int) -> Unit) {
        var low = 0
        var high = size
        for (depth in 0 until to - from) {
            val byte = text[from + depth].toInt() and 0xFF
            low = firstWith(low, high, depth, byte)
            high = firstWith(low, high, depth, byte + 1)
            if (low == high) return
            if (starts[low + 1] - starts[low] == depth + 1) found(depth + 1, low)
        }
    }

    /** The first of the pieces [low, high), which agree in their first `depth` bytes, whose next byte is at least `byte`. */
    private fun firstWith(low: Int, high: Int, depth: Int, byte: Int): Int {
        var from = low
        var to = high
        while (from < to) {
            val middle = (from + to) ushr 1
            val at = starts[middle] + depth
            val here = if (at < starts[middle + 1]) file[at].toInt() and 0xFF else -1
            if (here < byte) from = middle + 1 else to = middle
        }
        return from
    }

    /** What two neighbors merge into: rank in the upper 32 bits, the new piece's id in the lower; −1: they do not. */
    fun merge(left: Int, right: Int): Long {
        var from = 0
        var to = mergeCount
        while (from < to) {
            val middle = (from + to) ushr 1
            val at = merges + 16 * middle
            val order = data.getInt(at).compareTo(left).let { if (it == 0) data.getInt(at + 4).compareTo(right) else it }
            if (order == 0) return data.getInt(at + 8).toLong() shl 32 or data.getInt(at + 12).toLong()
            if (order < 0) from = middle + 1 else to = middle
        }
        return -1
    }

    private companion object {
        const val MAGIC = 0x50545650 // "PVTP"
        const val VERSION = 1
        const val HEADER = 24
    }
}
