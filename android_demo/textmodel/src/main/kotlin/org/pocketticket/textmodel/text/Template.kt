package org.pocketticket.textmodel.text

/** What the model reads around one text or two: special tokens and the texts, each with its segment. */
internal class Template(private val single: List<Part>, private val pair: List<Part>) {
    /** `text` 0 or 1: that text; −1: the special token `id`. */
    class Part(val text: Int, val id: Int, val segment: Int)

    /** How many special tokens there are. */
    fun added(pair: Boolean): Int = (if (pair) this.pair else single).count { it.text < 0 }

    fun assemble(first: List<Token>, second: List<Token>?, dropped: Int): Encoding {
        val tokens = ArrayList<Token>(first.size + (second?.size ?: 0) + 4)
        val segments = ArrayList<Int>(tokens.size)
        for (part in if (second == null) single else pair) {
            if (part.text < 0) tokens.add(Token(part.id, -1, 0, 0, -1))
            else tokens.addAll(if (part.text == 0) first else second.orEmpty())
            while (segments.size < tokens.size) segments.add(part.segment)
        }
        return Encoding(tokens, LongArray(segments.size) { segments[it].toLong() }, dropped)
    }
}
