package org.pocketticket.textmodel.text

/**
 * One token: its id, and where it stands: `sequence` 0 or 1 (-1: added by us), UTF-16 [start, end), number of its word.
 * `blanksBefore` and `blanksBehind` count the blanks at its ends, which its place may leave out.
 */
data class Token(
    val id: Int,
    val sequence: Int,
    val start: Int,
    val end: Int,
    val word: Int,
    val blanksBefore: Int = 0,
    val blanksBehind: Int = 0,
)

/** A model input. `dropped`: how many tokens did not fit. */
class Encoding(val tokens: List<Token>, val segments: LongArray, val dropped: Int) {
    val ids: LongArray = LongArray(tokens.size) { tokens[it].id.toLong() }
}

/** The parts of a tokenizer in the order of their work, as the manifest names them (see TokenizerParts). */
internal class Parts(
    /** Tokens that are looked for in the text as typed, and in the normalized one. */
    val typed: AddedTokens,
    val normalized: AddedTokens,
    val normalizer: Normalizer,
    val words: PreTokenizers,
    val pieces: Pieces,
    val template: Template,
    val cutLeft: Boolean,
    val trim: Trim?,
)

/** Places leave out the blanks at a token's ends, but not the one that `prefixSpace` has put before the text. */
internal class Trim(val prefixSpace: Boolean)

/** The same ids as Hugging Face's tokenizer for every text (proven by TokenizerEqualityTest). */
class Tokenizer internal constructor(private val parts: Parts) {
    /**
     * The template around one text or two, at most `maxTokens` long: of a pair, the longer text loses tokens first
     * (Hugging Face's `longest_first`), at its end or at its beginning.
     */
    fun encode(a: String, b: String?, maxTokens: Int): Encoding {
        val first = tokenize(a, 0)
        val second = b?.let { tokenize(it, 1) }
        val room = maxTokens - parts.template.added(second != null)
        val (keepFirst, keepSecond) = share(first.size, second?.size ?: 0, maxOf(room, 0))
        val dropped = first.size + (second?.size ?: 0) - keepFirst - keepSecond
        return parts.template.assemble(trimmed(cut(first, keepFirst)), second?.let { trimmed(cut(it, keepSecond)) }, dropped)
    }

    /**
     * The same for a text that may be longer: one encoding, or one for each window. All but `cut` work on the last text;
     * a pair's first text takes at most half of the room, or what the second one leaves.
     */
    fun encodeLong(a: String, b: String?, maxTokens: Int, long: LongTexts): List<Encoding> {
        val first = trimmed(tokenize(a, 0))
        val second = b?.let { trimmed(tokenize(it, 1)) }
        val limit = maxTokens - parts.template.added(second != null)
        if (long.strategy == LongTexts.Strategy.CUT || first.size + (second?.size ?: 0) <= limit) {
            return listOf(encode(a, b, maxTokens))
        }
        val kept = if (second == null) 0 else minOf(first.size, maxOf(limit / 2, limit - second.size))
        val (other, text) = if (kept > 0) first.subList(0, kept) to second!! else second.orEmpty() to first
        val room = limit - other.size
        val read = if (long.strategy == LongTexts.Strategy.HEAD_TAIL) {
            val head = room * long.headPercent / 100
            listOf(text.subList(0, head) + text.subList(text.size - (room - head), text.size))
        } else {
            long.windows(text.size, room).map { text.subList(it.first, it.last + 1) }
        }
        val seen = if (long.strategy == LongTexts.Strategy.HEAD_TAIL) room else text.size
        val dropped = first.size + (second?.size ?: 0) - other.size - seen
        return read.map { part ->
            if (kept > 0) parts.template.assemble(other, part, dropped)
            else parts.template.assemble(part, second?.let { other }, dropped)
        }
    }

    private fun cut(tokens: List<Token>, keep: Int): List<Token> =
        if (parts.cutLeft) tokens.subList(tokens.size - keep, tokens.size) else tokens.subList(0, keep)

    private fun share(first: Int, second: Int, room: Int): Pair<Int, Int> {
        if (first + second <= room) return first to second
        var short = minOf(first, second)
        var long = if (short > room) short else maxOf(short, room - short)
        if (short + long > room) {
            short = room / 2
            long = short + room % 2
        }
        return if (first > second) long to short else short to long
    }

    /** Leaves the blanks out of the tokens' places, where the tokenizer does. */
    private fun trimmed(tokens: List<Token>): List<Token> {
        val trim = parts.trim ?: return tokens
        return tokens.mapIndexed { i, token ->
            val added = trim.prefixSpace && token.blanksBefore == 1 && (i == 0 || token.start == 0)
            val start = minOf(token.start + if (added) 0 else token.blanksBefore, token.end)
            val end = if (token.end < token.blanksBehind) token.end else maxOf(token.end - token.blanksBehind, start)
            token.copy(start = start, end = end)
        }
    }

    /** All tokens of one text, special ones that are typed in it included. */
    internal fun tokenize(text: String, sequence: Int): List<Token> {
        val tokens = ArrayList<Token>()
        val traced = TracedText.of(text)
        parts.typed.split(traced) { token, from, to ->
            if (token != null) {
                addToken(token.id, traced, from, to, sequence, tokens)
            } else {
                val normal = parts.normalizer.normalize(traced.slice(from, to))
                parts.normalized.split(normal) { inner, first, end ->
                    if (inner != null) addToken(inner.id, normal, first, end, sequence, tokens)
                    else parts.words.split(normal.slice(first, end)).forEach { addPieces(it, sequence, tokens) }
                }
            }
        }
        return tokens
    }

    private fun addPieces(word: TracedText, sequence: Int, tokens: MutableList<Token>) {
        val number = nextWord(tokens)
        parts.pieces.split(word) { id, first, end -> tokens.add(token(id, word, first, end, sequence, number)) }
    }

    private fun addToken(id: Int, text: TracedText, from: Int, to: Int, sequence: Int, tokens: MutableList<Token>) {
        tokens.add(token(id, text, from, to, sequence, nextWord(tokens)))
    }

    private fun token(id: Int, text: TracedText, first: Int, end: Int, sequence: Int, word: Int): Token {
        if (parts.trim == null) return Token(id, sequence, text.starts[first], text.ends[end - 1], word)
        var before = 0
        var behind = 0
        while (first + before < end && isBlank(text.codePoints[first + before])) before++
        while (end - behind > first && isBlank(text.codePoints[end - behind - 1])) behind++
        return Token(id, sequence, text.starts[first], text.ends[end - 1], word, before, behind)
    }

    private fun isBlank(c: Int): Boolean = c == ByteLevel.MARK || c in WHITE_SPACE

    private fun nextWord(tokens: List<Token>): Int = (tokens.lastOrNull()?.word ?: -1) + 1
}
