package org.pocketticket.textmodel.text

/** A token that stands for itself wherever its text occurs; with `before` and `behind` it takes white space with it. */
internal class AddedToken(
    val id: Int,
    val text: IntArray,
    val singleWord: Boolean = false,
    val before: Boolean = false,
    val behind: Boolean = false,
)

/** Finds added tokens in a text: the leftmost, of those the longest. */
internal class AddedTokens(tokens: List<AddedToken>) {
    private val byFirst: Map<Int, List<AddedToken>> =
        tokens.filter { it.text.isNotEmpty() }.sortedByDescending { it.text.size }.groupBy { it.text[0] }

    /** Calls `part(token, from, to)` for every stretch of the text in order; `token` null: it is none. */
    fun split(text: TracedText, part: (token: AddedToken?, from: Int, to: Int) -> Unit) {
        var open = 0
        var at = 0
        while (at < text.size) {
            val token = tokenAt(text, at)
            if (token == null) {
                at++
                continue
            }
            var from = at
            var to = at + token.text.size
            at = to
            if (token.singleWord && (isWord(text, from - 1) || isWord(text, to))) continue
            if (token.before) while (from > open && text.codePoints[from - 1] in WHITE_SPACE) from--
            if (token.behind) while (to < text.size && text.codePoints[to] in WHITE_SPACE) to++
            if (open < from) part(null, open, from)
            part(token, from, to)
            open = to
        }
        if (open < text.size) part(null, open, text.size)
    }

    private fun tokenAt(text: TracedText, at: Int): AddedToken? = byFirst[text.codePoints[at]]?.find { token ->
        at + token.text.size <= text.size && token.text.indices.all { text.codePoints[at + it] == token.text[it] }
    }

    private fun isWord(text: TracedText, at: Int): Boolean = at in 0 until text.size && Runs.isWord(text.codePoints[at])
}
