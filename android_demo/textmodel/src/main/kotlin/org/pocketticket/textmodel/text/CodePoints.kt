package org.pocketticket.textmodel.text

/** A set of code points, read from stretches "distance length" in base 36 (see unicode_tables.py). */
internal class CodePointSet(table: String) {
    /** first, end, first, end … in rising order. */
    private val bounds: IntArray = table.split(' ').map { it.toInt(36) }.toIntArray()

    init {
        for (i in 1 until bounds.size) bounds[i] += bounds[i - 1]
    }

    operator fun contains(codePoint: Int): Boolean {
        var low = 0
        var high = bounds.size
        while (low < high) { // the number of bounds that are not above the code point is odd inside a stretch
            val middle = (low + high) ushr 1
            if (bounds[middle] <= codePoint) low = middle + 1 else high = middle
        }
        return low and 1 == 1
    }
}

/** Code points with a number, read from stretches "distance count step value". */
internal fun readNumbers(table: String): Map<Int, Int> {
    val numbers = HashMap<Int, Int>()
    var start = 0
    val words = table.split(' ').map { it.toInt(36) }
    for (at in words.indices step 4) {
        val (distance, count, step, value) = words.subList(at, at + 4)
        start += distance
        for (i in 0 until count) numbers[start + i * step] = value
    }
    return numbers
}

/** Code points with the code points that they become, read from "distance:code,code,…". */
internal fun readTexts(table: String): Map<Int, IntArray> {
    val texts = HashMap<Int, IntArray>()
    var codePoint = 0
    for (entry in table.split(' ')) {
        val (distance, text) = entry.split(':')
        codePoint += distance.toInt(36)
        texts[codePoint] = text.split(',').map { it.toInt(36) }.toIntArray()
    }
    return texts
}
