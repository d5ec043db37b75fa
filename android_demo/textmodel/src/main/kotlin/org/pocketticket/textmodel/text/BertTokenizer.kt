package org.pocketticket.textmodel.text

/** What the manifest says about the tokenizer. */
data class TokenizerSettings(
    val lowercase: Boolean = true,
    val stripAccents: Boolean? = null,
    val chineseChars: Boolean = true,
    val cleanText: Boolean = true,
    val unknown: String = "[UNK]",
    val cls: String = "[CLS]",
    val sep: String = "[SEP]",
    val pad: String = "[PAD]",
    val mask: String = "[MASK]",
    val continuation: String = "##",
    val maxWordChars: Int = 100,
)

/** One token: its id, and where it stands: `sequence` 0 or 1 (-1: added by us), UTF-16 [start, end), number of its word. */
data class Token(val id: Int, val sequence: Int, val start: Int, val end: Int, val word: Int)

/** A model input. `dropped`: how many tokens did not fit. */
class Encoding(val tokens: List<Token>, val segments: LongArray, val dropped: Int) {
    val ids: LongArray = LongArray(tokens.size) { tokens[it].id.toLong() }
}

/** BERT's tokenizer: the same ids as Hugging Face's for every text (proven by TokenizerEqualityTest). */
class BertTokenizer(vocabulary: Map<String, Int>, settings: TokenizerSettings) {
    private val normalizer = with(settings) { BertNormalizer(cleanText, chineseChars, lowercase, stripAccents) }
    private val pieces = with(settings) { WordPiece(vocabulary, unknown, continuation, maxWordChars) }
    private val cls = pieces.id(settings.cls)
    private val sep = pieces.id(settings.sep)

    /** Typed in a text, these stand for the special tokens themselves; the longest is looked for first. */
    private val special: List<Pair<String, Int>> = with(settings) { listOf(unknown, cls, sep, pad, mask) }
        .mapNotNull { token -> pieces.idOrNull(token)?.let { token to it } }
        .sortedByDescending { it.first.length }

    /**
     * [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with segments 0 and 1, at most `maxTokens` long: of a pair, the longer
     * text loses its end first (Hugging Face's `longest_first`).
     */
    fun encode(a: String, b: String?, maxTokens: Int): Encoding {
        val first = tokenize(a, 0)
        val second = b?.let { tokenize(it, 1) }
        val room = maxTokens - if (second == null) 2 else 3
        val (keepFirst, keepSecond) = share(first.size, second?.size ?: 0, maxOf(room, 0))
        val dropped = first.size + (second?.size ?: 0) - keepFirst - keepSecond
        return assemble(first.subList(0, keepFirst), second?.subList(0, keepSecond), dropped)
    }

    /**
     * The same for a text that may be longer: one encoding, or one for each window. All but `cut` work on the last text;
     * a pair's first text takes at most half of the room, or what the second one leaves.
     */
    fun encodeLong(a: String, b: String?, maxTokens: Int, long: LongTexts): List<Encoding> {
        val first = tokenize(a, 0)
        val second = b?.let { tokenize(it, 1) }
        val limit = maxTokens - if (second == null) 2 else 3
        if (long.strategy == LongTexts.Strategy.CUT || first.size + (second?.size ?: 0) <= limit) {
            return listOf(encode(a, b, maxTokens))
        }
        val kept = if (second == null) 0 else minOf(first.size, maxOf(limit / 2, limit - second.size))
        val (other, text) = if (kept > 0) first.subList(0, kept) to second!! else second.orEmpty() to first
        val room = limit - other.size
        val parts = if (long.strategy == LongTexts.Strategy.HEAD_TAIL) {
            val head = room * long.headPercent / 100
            listOf(text.subList(0, head) + text.subList(text.size - (room - head), text.size))
        } else {
            long.windows(text.size, room).map { text.subList(it.first, it.last + 1) }
        }
        val read = if (long.strategy == LongTexts.Strategy.HEAD_TAIL) room else text.size
        val dropped = first.size + (second?.size ?: 0) - other.size - read
        return parts.map { part ->
            if (kept > 0) assemble(other, part, dropped) else assemble(part, second?.let { other }, dropped)
        }
    }

    private fun assemble(first: List<Token>, second: List<Token>?, dropped: Int): Encoding {
        val tokens = ArrayList<Token>(first.size + (second?.size ?: 0) + 3)
        tokens.add(added(cls))
        tokens.addAll(first)
        tokens.add(added(sep))
        val boundary = tokens.size
        if (second != null) {
            tokens.addAll(second)
            tokens.add(added(sep))
        }
        val segments = LongArray(tokens.size) { if (it < boundary) 0L else 1L }
        return Encoding(tokens, segments, dropped)
    }

    private fun added(id: Int) = Token(id, -1, 0, 0, -1)

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

    /** All tokens of one text, special ones that are typed in it included. */
    internal fun tokenize(text: String, sequence: Int): List<Token> {
        val tokens = ArrayList<Token>()
        var from = 0
        while (from < text.length) {
            val (at, token) = nextSpecial(text, from)
            addWords(text, from, at, sequence, tokens)
            if (token != null) {
                tokens.add(Token(token.second, sequence, at, at + token.first.length, nextWord(tokens)))
                from = at + token.first.length
            } else {
                from = at
            }
        }
        return tokens
    }

    private fun nextSpecial(text: String, from: Int): Pair<Int, Pair<String, Int>?> {
        val found = special.map { it to text.indexOf(it.first, from) }.filter { it.second >= 0 }
        val (token, at) = found.minByOrNull { it.second } ?: return text.length to null
        return at to token
    }

    private fun nextWord(tokens: List<Token>): Int = (tokens.lastOrNull()?.word ?: -1) + 1

    /** White space separates words; a punctuation character is a word of its own. */
    private fun addWords(text: String, from: Int, to: Int, sequence: Int, tokens: MutableList<Token>) {
        val normal = normalizer.normalize(text, from, to)
        var start = 0
        for (i in 0..normal.size) {
            val c = if (i < normal.size) normal.codePoints[i] else -1
            val alone = c >= 0 && c in PUNCTUATION
            if (c >= 0 && !alone && c !in SEPARATORS) continue
            addWord(normal, start, i, sequence, tokens)
            if (alone) addWord(normal, i, i + 1, sequence, tokens)
            start = i + 1
        }
    }

    private fun addWord(normal: TracedText, from: Int, to: Int, sequence: Int, tokens: MutableList<Token>) {
        if (from == to) return
        val word = nextWord(tokens)
        pieces.split(normal, from, to) { id, first, end ->
            tokens.add(Token(id, sequence, normal.starts[first], normal.ends[end - 1], word))
        }
    }

    private companion object {
        val PUNCTUATION = CodePointSet(UnicodeTables.PUNCTUATION)
        val SEPARATORS = CodePointSet(UnicodeTables.SEPARATORS)
    }
}
