package org.pocketticket.textmodel.text

import java.nio.ByteBuffer

/**
 * SentencePiece's precompiled map of characters, as Hugging Face applies it: a grapheme of under 6 bytes is replaced as a
 * whole by what its shortest mapped beginning becomes; of a longer one each code point by itself.
 *
 * `map` is [bytes of the trie][a double-array trie of the texts][what they become, each ended by a zero].
 */
internal class Charsmap(private val map: ByteBuffer) : Normalizer {
    private val units = map.getInt(0) / 4
    private val texts = 4 + 4 * units

    override fun normalize(text: TracedText): TracedText {
        val changes = Changes(text.size + 16)
        var changed = false
        var from = 0
        while (from < text.size) {
            val to = Graphemes.end(text.codePoints, from, text.size)
            val short = (from until to).sumOf { Utf8.width(text.codePoints[it]) } < LONG
            if (short && replace(text, from, to, changes)) {
                changed = true
            } else {
                for (i in from until to) if (replace(text, i, i + 1, changes)) changed = true else changes.add(text.codePoints[i], 0)
            }
            from = to
        }
        return if (changed) text.transform(changes) else text
    }

    /** Adds what the code points [from, to) become; false: they are not mapped. */
    private fun replace(text: TracedText, from: Int, to: Int, changes: Changes): Boolean {
        val at = find(Utf8(text.slice(from, to)))
        if (at < 0) return false
        var end = texts + at
        while (end < map.limit() && map.get(end).toInt() != 0) end++
        val made = codePoints(String(ByteArray(end - texts - at) { map.get(texts + at + it) }))
        val more = made.size - (to - from)
        made.forEachIndexed { i, c ->
            val change = if (more > 0 && i >= made.size - more) 1 else if (more < 0 && i == made.size - 1) more else 0
            changes.add(c, change)
        }
        if (made.isEmpty()) changes.drop(to - from)
        return true
    }

    /** Where the text stands that the shortest mapped beginning becomes; −1: nothing of it is mapped. */
    private fun find(key: Utf8): Int {
        var place = offset(unit(0))
        for (b in 0 until key.size) {
            val byte = key.bytes[b].toInt() and 0xFF
            if (byte == 0) break
            place = place xor byte
            val unit = unit(place)
            if (unit and (1 shl 31 or 0xFF) != byte) return -1
            place = place xor offset(unit)
            if (unit ushr 8 and 1 == 1) return unit(place) and Int.MAX_VALUE
        }
        return -1
    }

    private fun unit(place: Int): Int = if (place < units) map.getInt(4 + 4 * place) else 0

    private fun offset(unit: Int): Int = unit ushr 10 shl (unit and (1 shl 9) ushr 6)

    private companion object {
        const val LONG = 6
    }
}
