package org.pocketticket.demo.engine

import kotlin.math.exp
import org.pocketticket.demo.bundle.Kind
import org.pocketticket.demo.bundle.Range
import org.pocketticket.demo.bundle.Task
import org.pocketticket.demo.text.Encoding

/** Raw outputs → an answer, for every kind of task. Pure. */
class Decoder(private val task: Task) {
    fun decode(outputs: List<FloatArray>, encoding: Encoding, textA: String, textB: String?): Answer = when (task.kind) {
        Kind.CLASSIFICATION, Kind.PAIR -> classes(outputs[0])
        Kind.REGRESSION, Kind.PAIR_REGRESSION -> value(outputs[0][0], task.range)
        Kind.TOKENS -> Answer.Entities(textA, entities(outputs[0], encoding))
        Kind.QA -> passage(outputs[0], outputs[1], encoding, textB.orEmpty())
    }

    private fun classes(logits: FloatArray): Answer {
        val scores = softmax(logits).mapIndexed { i, p -> Score(task.labels.getOrElse(i) { "label $i" }, p) }
        return Answer.Classes(scores.sortedByDescending { it.probability })
    }

    private fun value(value: Float, range: Range?): Answer =
        Answer.Value(value, range?.let { ((value - it.low) / (it.high - it.low)).coerceIn(0f, 1f) })

    /** A word has the label of its first piece; B-x, I-x, I-x … make one entity, a stray I-x begins one. */
    private fun entities(logits: FloatArray, encoding: Encoding): List<Entity> {
        val width = task.labels.size
        val words = encoding.tokens.indices.filter { encoding.tokens[it].sequence == 0 }.groupBy { encoding.tokens[it].word }
        val found = ArrayList<Entity>()
        var previous = OUTSIDE
        for ((_, pieces) in words) {
            val row = softmax(logits.copyOfRange(pieces.first() * width, (pieces.first() + 1) * width))
            val best = row.indices.maxByOrNull { row[it] } ?: continue
            val tag = task.labels[best]
            val type = tag.substringAfter('-')
            val end = encoding.tokens[pieces.last()].end
            if (tag.startsWith("I-") && previous == type) {
                val open = found.removeAt(found.lastIndex)
                found.add(open.copy(end = end, probability = minOf(open.probability, row[best])))
            } else if (tag != OUTSIDE) {
                found.add(Entity(encoding.tokens[pieces.first()].start, end, type, row[best]))
            }
            previous = if (tag == OUTSIDE) OUTSIDE else type
        }
        return found
    }

    /** The pair of a start and an end in the passage with the largest sum of logits (Devlin et al. 2019, section 4.2). */
    private fun passage(starts: FloatArray, ends: FloatArray, encoding: Encoding, text: String): Answer {
        val places = encoding.tokens.indices.filter { encoding.tokens[it].sequence == 1 }
        if (places.isEmpty()) return Answer.Passage(text, null)
        var best = places.first() to places.first()
        for (start in places) {
            for (end in start..minOf(start + LONGEST_ANSWER - 1, places.last())) {
                if (starts[start] + ends[end] > starts[best.first] + ends[best.second]) best = start to end
            }
        }
        val probability = softmax(places.map { starts[it] }.toFloatArray())[best.first - places.first()] *
            softmax(places.map { ends[it] }.toFloatArray())[best.second - places.first()]
        val (start, end) = encoding.tokens[best.first].start to encoding.tokens[best.second].end
        return Answer.Passage(text, Entity(start, end, "answer", probability))
    }

    companion object {
        private const val OUTSIDE = "O"
        private const val LONGEST_ANSWER = 30 // tokens, as in BERT's own SQuAD script

        fun softmax(logits: FloatArray): FloatArray {
            val top = logits.max()
            val powers = logits.map { exp(it - top) }
            val sum = powers.sum()
            return FloatArray(logits.size) { powers[it] / sum }
        }
    }
}
