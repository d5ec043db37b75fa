package org.pocketticket.textmodel.engine

import java.io.Closeable
import kotlin.math.abs
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.TextModelError.Code
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.bundle.GoldenExample
import org.pocketticket.textmodel.bundle.Kind
import org.pocketticket.textmodel.text.Encoding

/** An answer and what it cost. `milliseconds` and `tokens`: of all windows; tokenizing and the program together. */
data class Inference(val answer: Answer, val milliseconds: Double, val tokens: Int, val dropped: Int)

/** What asking for the known answers has shown; `failure` is a sentence, or null. */
data class SelfTest(val examples: Int, val worstDifference: Float, val failure: String?)

/** Tokenizer and program together: text in, answer out. Not thread-safe: one worker thread calls it. */
class TextModel(val bundle: Bundle, private val program: Program) : Closeable {
    private val decoder = Decoder(bundle.manifest.task)

    fun ask(textA: String, textB: String?): Inference {
        val began = System.nanoTime()
        val (model, long) = bundle.manifest.model to bundle.manifest.long
        val encodings = bundle.tokenizer.encodeLong(textA, textB, model.maxTokens, long)
        val windows = encodings.map { Window(run(it), it) }
        val milliseconds = (System.nanoTime() - began) / 1e6
        val answer = decoder.decode(windows, textA, textB)
        return Inference(answer, milliseconds, encodings.sumOf { it.tokens.size }, encodings[0].dropped)
    }

    /**
     * The vector of a text that is searched or, with `query`, of one that searches; the manifest's prefix is put before
     * it. Throws TextModelError for a model of another kind.
     */
    fun embed(text: String, query: Boolean = false): FloatArray {
        val task = bundle.manifest.task
        if (task.kind != Kind.EMBEDDING) throw TextModelError("This model gives no vectors: its task is of the kind ${task.kind.key}.")
        val prefix = task.vector?.let { if (query) it.queryPrefix else it.passagePrefix }.orEmpty()
        return run(encode(prefix + text, null))[0]
    }

    fun encode(textA: String, textB: String?): Encoding =
        bundle.tokenizer.encode(textA, textB, bundle.manifest.model.maxTokens)

    /**
     * The program's outputs. It has no attention mask and reads every id as text, so padded ids are refused; outputs that
     * are no numbers are a failure, too. Throws TextModelError.
     */
    fun run(encoding: Encoding): List<FloatArray> {
        val (ids, pad) = encoding.ids to bundle.manifest.model.padId
        if (pad != null && (ids.firstOrNull() == pad || ids.lastOrNull() == pad)) {
            val sentence = "The ids of a text begin or end with the padding id $pad; give them without padding."
            throw TextModelError(sentence, null, Code.INPUT)
        }
        val outputs = program.run(ids, encoding.segments.takeIf { bundle.manifest.model.segments })
        if (outputs.any { output -> output.any { !it.isFinite() } }) {
            throw TextModelError("The model gave no finite numbers for this text.", null, Code.PROGRAM)
        }
        return outputs
    }

    /**
     * Asks for the first `limit` known answers. Anything else than the ids and outputs of golden.json is a failure.
     * golden.json begins with the texts on which tokenizers and programs go wrong; the rest is for the bundle's own check.
     */
    fun selfTest(limit: Int = SELF_TEST): SelfTest {
        var worst = 0f
        val examples = bundle.golden.take(limit)
        for ((number, example) in examples.withIndex()) {
            val encoding = encode(example.textA, example.textB)
            if (!encoding.ids.contentEquals(example.ids)) {
                return failed(examples.size, worst, "Known text ${number + 1} becomes other tokens here than where the model was made")
            }
            val difference = try {
                difference(run(encoding), example)
            } catch (error: TextModelError) {
                return failed(examples.size, worst, "Known text ${number + 1} gets no answer on this phone (${error.message})")
            }
            worst = maxOf(worst, difference)
            if (!(difference <= bundle.manifest.tolerance)) { // written so that NaN fails
                return failed(examples.size, worst, "Known text ${number + 1} gets another answer on this phone (off by $difference)")
            }
        }
        return SelfTest(examples.size, worst, null)
    }

    private fun failed(examples: Int, worst: Float, what: String) =
        SelfTest(examples, worst, "$what, so the model is switched off.")

    private fun difference(outputs: List<FloatArray>, example: GoldenExample): Float {
        var worst = 0f
        if (outputs.map { it.size } != example.outputs.map { it.size }) return Float.NaN
        for ((found, known) in outputs.zip(example.outputs)) {
            for (i in found.indices) {
                val difference = abs(found[i] - known[i])
                if (difference.isNaN()) return Float.NaN
                worst = maxOf(worst, difference)
            }
        }
        return worst
    }

    override fun close() = program.close()

    companion object {
        const val SELF_TEST = 64 // known answers checked at each start: a fraction of a second
    }
}
