package org.pocketticket.textmodel.text

/** What is done with a text that does not fit into the program's input: the manifest's entry `long`. */
data class LongTexts(val strategy: Strategy = Strategy.CUT, val overlapPercent: Int = 0, val headPercent: Int = 0) {
    enum class Strategy(val key: String) { CUT("cut"), HEAD_TAIL("head_tail"), WINDOWS("windows") }

    /** Windows of `room` tokens over `length` tokens, [first, behind the last); the last one ends at the last token. */
    fun windows(length: Int, room: Int): List<IntRange> {
        if (length <= room) return listOf(0 until length)
        val starts = (0 until length - room step room - room * overlapPercent / 100) + (length - room)
        return starts.map { it until it + room }
    }
}
