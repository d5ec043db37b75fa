package org.pocketticket.textmodel.engine

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeNotNull
import org.junit.Test
import org.pocketticket.textmodel.bundle.Kind
import org.pocketticket.textmodel.bundle.Task
import org.pocketticket.textmodel.text.LongTexts
import org.pocketticket.textmodel.text.Tokenizer
import org.pocketticket.textmodel.text.TokenizerParts

/**
 * Windows, and the answers merged of them, against Python's, which tests/android/test_engine.py writes.
 *
 * The file named by `pocketticket.cases` has JSON lines: first the vocabulary's file, then a text each, with the rows'
 * ids, the outputs of each row, and the answer.
 */
class LongTextsTest {
    @Test
    fun windows_and_answers_equal_pythons() {
        val file = System.getProperty("pocketticket.cases")
        assumeNotNull(file)
        File(file!!).bufferedReader().use { lines ->
            val head = JSONObject(lines.readLine())
            val tokenizer = TokenizerParts.read(head.getJSONObject("tokenizer"), File(head.getString("file")).readBytes())
            var number = 0
            for (line in lines.lineSequence()) check(tokenizer, JSONObject(line), ++number)
            assertTrue(number > 0)
            assertEquals(head.getInt("count"), number)
            println("compared $number texts")
        }
    }

    private fun check(tokenizer: Tokenizer, case: JSONObject, number: Int) {
        val strategy = LongTexts.Strategy.entries.first { it.key == case.getString("strategy") }
        val long = LongTexts(strategy, case.getInt("overlap_percent"), case.getInt("head_percent"))
        val (a, b) = case.getString("a") to if (case.isNull("b")) null else case.getString("b")
        val encodings = tokenizer.encodeLong(a, b, case.getInt("max"), long)
        val ids = case.getJSONArray("ids").lists().map { row -> List(row.length()) { row.getLong(it) } }
        assertEquals("ids of text $number", ids, encodings.map { it.ids.toList() })
        val outputs = case.getJSONArray("outputs").lists().map { row -> row.lists().map(::floats) }
        val threshold = if (case.isNull("no_answer_threshold")) null else case.getDouble("no_answer_threshold")
        val task = Task("t", Kind.entries.first { it.key == case.getString("kind") }, LABELS, "", null, threshold, THRESHOLDS)
        val windows = encodings.zip(outputs).map { (encoding, output) -> Window(output, encoding) }
        val expected = case.getJSONArray("answer")
        when (val answer = Decoder(task).decode(windows, a, b)) {
            is Answer.Classes -> assertEquals("class of text $number", expected.getString(0), answer.scores[0].label)
            is Answer.Labels -> {
                val (chosen, probabilities) = expected.lists()
                assertEquals("labels of text $number", List(chosen.length()) { chosen.getString(it) }, answer.chosen.map { it.label })
                for (score in answer.chosen + answer.others) {
                    val wanted = probabilities.getDouble(LABELS.indexOf(score.label)).toFloat()
                    assertEquals("probability in text $number", wanted, score.probability, 1e-5f)
                }
            }
            is Answer.Value -> assertEquals("value of text $number", expected.getDouble(0).toFloat(), answer.value, 1e-5f)
            is Answer.Vector -> error("no text here has a vector")
            is Answer.Passage -> {
                val found = answer.span?.let { listOf(b!!.substring(it.start, it.end), it.start) } ?: listOf()
                assertEquals("answer of text $number", List(expected.length()) { expected.get(it) }, found)
            }
            is Answer.Entities -> {
                val found = answer.entities.map { "${it.start} ${it.end} ${it.label}" }
                assertEquals("entities of text $number", List(expected.length()) { expected.getString(it) }, found)
            }
        }
    }

    private fun JSONArray.lists(): List<JSONArray> = List(length()) { getJSONArray(it) }

    private fun floats(row: JSONArray) = FloatArray(row.length()) { row.getDouble(it).toFloat() }

    private companion object {
        val LABELS = listOf("O", "B-x", "I-x")
        val THRESHOLDS = listOf(0.3, 0.5, 0.7)
    }
}
