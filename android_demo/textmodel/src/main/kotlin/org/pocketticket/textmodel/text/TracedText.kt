package org.pocketticket.textmodel.text

/** Text as code points, each with the stretch [start, end) of the original UTF-16 text that it came from. */
internal class TracedText(size: Int) {
    var codePoints = IntArray(size)
        private set
    var starts = IntArray(size)
        private set
    var ends = IntArray(size)
        private set
    var size = 0
        private set

    fun add(codePoint: Int, start: Int, end: Int) {
        if (size == codePoints.size) {
            val larger = size * 2 + 16
            codePoints = codePoints.copyOf(larger)
            starts = starts.copyOf(larger)
            ends = ends.copyOf(larger)
        }
        codePoints[size] = codePoint
        starts[size] = start
        ends[size] = end
        size++
    }

    fun slice(from: Int, to: Int): TracedText {
        if (from == 0 && to == size) return this
        val part = TracedText(to - from)
        for (i in from until to) part.add(codePoints[i], starts[i], ends[i])
        return part
    }

    inline fun map(step: TracedText.(codePoint: Int, start: Int, end: Int) -> Unit): TracedText {
        val result = TracedText(size + 16)
        for (i in 0 until size) result.step(codePoints[i], starts[i], ends[i])
        return result
    }

    /**
     * The text that `changes` makes of this one, as Hugging Face's `NormalizedString.transform` traces it: a code point
     * with the change 0 stands for the next one of this text, with −n for the next one and the n behind it, of which it
     * takes the first one's stretch; with 1 it is new and takes the stretch of the last one that was used.
     */
    fun transform(changes: Changes): TracedText {
        val result = TracedText(changes.size)
        var next = 0
        for (i in 0 until changes.size) {
            val change = changes.changes[i]
            val source = if (change > 0) maxOf(next - 1, 0) else next
            result.add(changes.codePoints[i], starts[source], ends[source])
            if (change <= 0) next += 1 - change
        }
        return result
    }

    companion object {
        private const val REPLACEMENT = 0xFFFD

        /** A lone surrogate counts as U+FFFD, as in any conversion to UTF-8. */
        fun of(text: String): TracedText {
            val traced = TracedText(text.length)
            var i = 0
            while (i < text.length) {
                val pair = text[i].isHighSurrogate() && i + 1 < text.length && text[i + 1].isLowSurrogate()
                val width = if (pair) 2 else 1
                val codePoint = if (pair) Character.toCodePoint(text[i], text[i + 1]) else text[i].code
                traced.add(if (!pair && text[i].isSurrogate()) REPLACEMENT else codePoint, i, i + width)
                i += width
            }
            return traced
        }
    }
}

/** Code points of a new text, each with its change: see [TracedText.transform]. */
internal class Changes(size: Int) {
    var codePoints = IntArray(size)
        private set
    var changes = IntArray(size)
        private set
    var size = 0
        private set

    fun add(codePoint: Int, change: Int) {
        if (size == codePoints.size) {
            codePoints = codePoints.copyOf(size * 2 + 16)
            changes = changes.copyOf(size * 2 + 16)
        }
        codePoints[size] = codePoint
        changes[size] = change
        size++
    }

    /** `count` code points are left out: the last entry stands for them, too; without an entry nothing does. */
    fun drop(count: Int) {
        if (size > 0) changes[size - 1] -= count
    }

    /** Puts the entries from `from` on into another order: the i-th comes from place `order[i]`. */
    fun reorder(from: Int, order: List<Int>) {
        val moved = order.map { codePoints[it] to changes[it] }
        moved.forEachIndexed { i, (codePoint, change) ->
            codePoints[from + i] = codePoint
            changes[from + i] = change
        }
    }
}

/** A text's UTF-8 bytes; `indexOf[b]` is the code point that byte b belongs to, `indexOf[size]` their number. */
internal class Utf8(text: TracedText) {
    val bytes: ByteArray
    val indexOf: IntArray
    val size: Int

    init {
        var length = 0
        for (i in 0 until text.size) length += width(text.codePoints[i])
        size = length
        bytes = ByteArray(length)
        indexOf = IntArray(length + 1)
        var at = 0
        for (i in 0 until text.size) {
            val width = write(text.codePoints[i], bytes, at)
            for (b in 0 until width) indexOf[at + b] = i
            at += width
        }
        indexOf[length] = text.size
    }

    companion object {
        fun width(codePoint: Int): Int = when {
            codePoint < 0x80 -> 1
            codePoint < 0x800 -> 2
            codePoint < 0x10000 -> 3
            else -> 4
        }

        /** Writes one code point at `at`; returns how many bytes it took. */
        fun write(codePoint: Int, into: ByteArray, at: Int): Int {
            val width = width(codePoint)
            if (width == 1) {
                into[at] = codePoint.toByte()
                return 1
            }
            for (b in width - 1 downTo 1) into[at + b] = (codePoint shr 6 * (width - 1 - b) and 0x3F or 0x80).toByte()
            into[at] = (codePoint shr 6 * (width - 1) or (0xF00 shr width and 0xFF)).toByte()
            return width
        }
    }
}
