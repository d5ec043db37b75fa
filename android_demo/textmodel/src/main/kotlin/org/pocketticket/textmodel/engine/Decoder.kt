package org.pocketticket.textmodel.engine

import kotlin.math.exp
import org.pocketticket.textmodel.bundle.Kind
import org.pocketticket.textmodel.bundle.Range
import org.pocketticket.textmodel.bundle.Task
import org.pocketticket.textmodel.text.Encoding

/** One input of the program and its raw outputs. */
class Window(val outputs: List<FloatArray>, val encoding: Encoding)

/** Raw outputs of a text's windows (mostly one) → an answer, for every kind of task. Pure. */
class Decoder(private val task: Task) {
    fun decode(windows: List<Window>, textA: String, textB: String?): Answer = when (task.kind) {
        Kind.CLASSIFICATION, Kind.PAIR -> classes(mean(windows.map { it.outputs[0] }))
        Kind.REGRESSION, Kind.PAIR_REGRESSION -> value(mean(windows.map { it.outputs[0] })[0], task.range)
        Kind.MULTILABEL -> labels(mean(windows.map { it.outputs[0] }))
        Kind.TOKENS -> Answer.Entities(textA, entities(windows))
        Kind.QA -> passage(windows, textB.orEmpty())
        Kind.EMBEDDING -> Answer.Vector(windows[0].outputs[0])
    }

    fun decode(outputs: List<FloatArray>, encoding: Encoding, textA: String, textB: String?): Answer =
        decode(listOf(Window(outputs, encoding)), textA, textB)

    /** The mean of logits is the normalized geometric mean of the windows' probabilities. */
    private fun mean(logits: List<FloatArray>): FloatArray {
        val sum = FloatArray(logits[0].size)
        for (row in logits) for (i in sum.indices) sum[i] += row[i]
        return FloatArray(sum.size) { sum[it] / logits.size }
    }

    private fun classes(logits: FloatArray): Answer {
        val scores = softmax(logits).mapIndexed { i, p -> Score(task.labels.getOrElse(i) { "label $i" }, p) }
        return Answer.Classes(scores.sortedByDescending { it.probability })
    }

    /** Each label by itself: the text has it if its probability is at least its threshold. */
    private fun labels(logits: FloatArray): Answer {
        val order = logits.indices.sortedByDescending { logits[it] }
        val (chosen, others) = order.partition { sigmoid(logits[it]) >= task.thresholds[it] }
        fun scores(labels: List<Int>) = labels.map { Score(task.labels[it], sigmoid(logits[it]).toFloat()) }
        return Answer.Labels(scores(chosen), scores(others))
    }

    private fun value(value: Float, range: Range?): Answer =
        Answer.Value(value, range?.let { ((value - it.low) / (it.high - it.low)).coerceIn(0f, 1f) })

    /** Where a token stands in one window: its place, and how many tokens are on the side with fewer. */
    private class Seen(val window: Window, val place: Int) {
        val token get() = window.encoding.tokens[place]
        val context get() = minOf(place, window.encoding.tokens.size - 1 - place)
    }

    /**
     * A word has the label of its first piece, in the window where that has most context; B-x, I-x, I-x … make one
     * entity, a stray I-x begins one.
     */
    private fun entities(windows: List<Window>): List<Entity> {
        val width = task.labels.size
        val seen = windows.flatMap { window -> window.encoding.tokens.indices.map { Seen(window, it) } }
        val words = seen.filter { it.token.sequence == 0 }.groupBy { it.token.word }.toSortedMap()
        val found = ArrayList<Entity>()
        var previous = OUTSIDE
        for ((_, pieces) in words) {
            val piece = pieces.first().token
            val first = pieces.filter { it.token === piece }.maxByOrNull { it.context } ?: continue
            val logits = first.window.outputs[0]
            val row = softmax(logits.copyOfRange(first.place * width, (first.place + 1) * width))
            val best = row.indices.maxByOrNull { row[it] } ?: continue
            val tag = task.labels[best]
            val type = tag.substringAfter('-')
            val end = pieces.maxOf { it.token.end }
            if (tag.startsWith("I-") && previous == type) {
                val open = found.removeAt(found.lastIndex)
                found.add(open.copy(end = end, probability = minOf(open.probability, row[best])))
            } else if (tag != OUTSIDE) {
                found.add(Entity(piece.start, end, type, row[best]))
            }
            previous = if (tag == OUTSIDE) OUTSIDE else type
        }
        return found
    }

    /**
     * The span with the largest sum of logits in any window (Devlin et al. 2019, sections 4.2 and 4.3); the first of
     * equals. None where the first token's sum, the smallest of all windows, is ahead of it by more than the threshold.
     */
    private fun passage(windows: List<Window>, text: String): Answer {
        val best = windows.mapNotNull(::span).maxByOrNull { it.first } ?: return Answer.Passage(text, null)
        val ahead = windows.minOf { it.outputs[0][0] + it.outputs[1][0] } - best.first
        val missing = task.noAnswerThreshold?.let { ahead.toDouble() > it } ?: false
        return Answer.Passage(text, best.second.takeUnless { missing })
    }

    /** The sum of a window's best start and end, and where they stand; null if it shows nothing of the passage. */
    private fun span(window: Window): Pair<Float, Entity>? {
        val tokens = window.encoding.tokens
        val (starts, ends) = window.outputs
        val places = tokens.indices.filter { tokens[it].sequence == 1 }
        if (places.isEmpty()) return null
        var best = places.first() to places.first()
        for (start in places) {
            for (end in start..minOf(start + LONGEST_ANSWER - 1, places.last())) {
                if (starts[start] + ends[end] > starts[best.first] + ends[best.second]) best = start to end
            }
        }
        val (first, last) = best
        val probability = softmax(places.map { starts[it] }.toFloatArray())[first - places.first()] *
            softmax(places.map { ends[it] }.toFloatArray())[last - places.first()]
        return starts[first] + ends[last] to Entity(tokens[first].start, tokens[last].end, "answer", probability)
    }

    companion object {
        private const val OUTSIDE = "O"
        private const val LONGEST_ANSWER = 30 // tokens, as in BERT's own SQuAD script

        fun sigmoid(logit: Float): Double = 1 / (1 + exp(-logit.toDouble()))

        fun softmax(logits: FloatArray): FloatArray {
            val top = logits.max()
            val powers = logits.map { exp(it - top) }
            val sum = powers.sum()
            return FloatArray(logits.size) { powers[it] / sum }
        }
    }
}
