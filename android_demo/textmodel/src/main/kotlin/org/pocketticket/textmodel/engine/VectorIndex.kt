package org.pocketticket.textmodel.engine

import java.util.PriorityQueue
import kotlin.math.abs
import kotlin.math.round
import kotlin.math.sqrt

/** A text that was found: its place in the index, and the cosine of its vector and the query's. */
data class Hit(val place: Int, val similarity: Float)

/**
 * Vectors in int8, searched one by one: exact but for the rounding, and fast enough for tens of thousands. Each vector
 * has its largest number at 127. Not thread-safe.
 */
class VectorIndex(val size: Int) {
    private var numbers = ByteArray(0)
    private var factors = FloatArray(0) // 1 ÷ length of the rounded vector

    var count = 0
        private set

    /** Adds a vector and returns its place. Throws IllegalArgumentException for one of another size, or without a direction. */
    fun add(vector: FloatArray): Int {
        require(vector.size >= size) { "a vector has ${vector.size} numbers, the index $size" }
        val largest = (0 until size).maxOf { abs(vector[it]) }
        require(largest > 0 && largest.isFinite()) { "a vector has no direction" }
        if ((count + 1) * size > numbers.size) grow()
        var squares = 0L
        val start = count * size
        for (i in 0 until size) {
            val rounded = round(vector[i] / (largest / LARGEST)).toInt()
            numbers[start + i] = rounded.toByte()
            squares += (rounded * rounded).toLong()
        }
        factors[count] = (1 / sqrt(squares.toDouble())).toFloat()
        return count++
    }

    /** The `limit` nearest vectors, the nearest first; of equals the first added. */
    fun search(query: FloatArray, limit: Int): List<Hit> {
        require(query.size >= size) { "the query has ${query.size} numbers, the index $size" }
        var squares = 0.0
        for (i in 0 until size) squares += query[i].toDouble() * query[i]
        val scale = if (squares > 0) (1 / sqrt(squares)).toFloat() else 0f
        val best = PriorityQueue(compareBy<Hit> { it.similarity }.thenByDescending { it.place })
        var worst = Float.NEGATIVE_INFINITY
        for (place in 0 until count) {
            val similarity = dot(query, place * size) * factors[place] * scale
            if (best.size >= limit && similarity <= worst) continue
            best.add(Hit(place, similarity))
            if (best.size > limit) best.poll()
            worst = best.peek()?.similarity ?: worst
        }
        return best.sortedWith(compareByDescending<Hit> { it.similarity }.thenBy { it.place })
    }

    /** Four sums, which a processor can add at the same time. */
    private fun dot(query: FloatArray, start: Int): Float {
        var a = 0f
        var b = 0f
        var c = 0f
        var d = 0f
        var i = 0
        while (i + 3 < size) {
            a += query[i] * numbers[start + i]
            b += query[i + 1] * numbers[start + i + 1]
            c += query[i + 2] * numbers[start + i + 2]
            d += query[i + 3] * numbers[start + i + 3]
            i += 4
        }
        while (i < size) {
            a += query[i] * numbers[start + i]
            i++
        }
        return a + b + (c + d)
    }

    private fun grow() {
        val room = maxOf(FIRST, 2 * count)
        numbers = numbers.copyOf(room * size)
        factors = factors.copyOf(room)
    }

    private companion object {
        const val LARGEST = 127f
        const val FIRST = 64
    }
}
