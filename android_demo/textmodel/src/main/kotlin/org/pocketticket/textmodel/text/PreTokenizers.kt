package org.pocketticket.textmodel.text

/** Splits a text into words, of which each becomes pieces by itself. Each step of tokenizer.json's pre_tokenizer is one. */
internal fun interface PreTokenizer {
    /** Adds the words of `text`, which is not empty, to `words`; none of them is empty. */
    fun split(text: TracedText, words: MutableList<TracedText>)
}

internal class PreTokenizers(private val steps: List<PreTokenizer>) {
    fun split(text: TracedText): List<TracedText> =
        steps.fold(if (text.size == 0) emptyList() else listOf(text)) { words, step ->
            ArrayList<TracedText>().also { found -> words.forEach { step.split(it, found) } }
        }
}

/** BERT's: white space separates words; a punctuation character is a word of its own. */
internal object BertWords : PreTokenizer {
    private val PUNCTUATION = CodePointSet(UnicodeTables.PUNCTUATION)

    override fun split(text: TracedText, words: MutableList<TracedText>) {
        var start = 0
        for (i in 0..text.size) {
            val c = if (i < text.size) text.codePoints[i] else -1
            val alone = c >= 0 && c in PUNCTUATION
            if (c >= 0 && !alone && c !in WHITE_SPACE) continue
            if (start < i) words.add(text.slice(start, i))
            if (alone) words.add(text.slice(i, i + 1))
            start = i + 1
        }
    }
}

/** White space separates words. */
internal object WhiteSpaceSplit : PreTokenizer {
    override fun split(text: TracedText, words: MutableList<TracedText>) {
        var start = 0
        for (i in 0..text.size) {
            if (i < text.size && text.codePoints[i] !in WHITE_SPACE) continue
            if (start < i) words.add(text.slice(start, i))
            start = i + 1
        }
    }
}

/** Runs of one class of characters; class 0 separates words. `single`: a character of class 1 is a word of its own. */
internal class Runs(private val single: Boolean, private val classOf: (Int) -> Int) : PreTokenizer {
    override fun split(text: TracedText, words: MutableList<TracedText>) {
        var start = 0
        for (i in 1..text.size) {
            val before = classOf(text.codePoints[i - 1])
            val joined = i < text.size && classOf(text.codePoints[i]) == before && !(single && before == 1)
            if (joined) continue
            if (before != 0) words.add(text.slice(start, i))
            start = i
        }
    }

    companion object {
        private val WORD by lazy { CodePointSet(UnicodeTables.WORD) }
        private val NUMERIC by lazy { CodePointSet(UnicodeTables.NUMERIC) }

        fun isWord(c: Int): Boolean = c in WORD

        /** Words and other runs, without white space. */
        fun words() = Runs(false) { if (it in WORD) 1 else if (it in WHITE_SPACE) 0 else 2 }

        fun digits(single: Boolean) = Runs(single) { if (it in NUMERIC) 1 else 2 }
    }
}

/** Spaces become `mark`, which with `prepend` also comes before a text (or the first one); with `split` a word begins at each mark. */
internal class Metaspace(private val mark: Int, private val prepend: Scheme, private val split: Boolean) : PreTokenizer {
    enum class Scheme { ALWAYS, FIRST, NEVER }

    override fun split(text: TracedText, words: MutableList<TracedText>) {
        var marked = text.map { c, start, end -> add(if (c == ' '.code) mark else c, start, end) }
        val wanted = prepend == Scheme.ALWAYS || prepend == Scheme.FIRST && marked.starts[0] == 0
        if (wanted && marked.codePoints[0] != mark) marked = prepended(intArrayOf(mark), marked)
        var start = 0
        if (split) {
            for (i in 1 until marked.size) {
                if (marked.codePoints[i] != mark) continue
                words.add(marked.slice(start, i))
                start = i
            }
        }
        words.add(marked.slice(start, marked.size))
    }
}
