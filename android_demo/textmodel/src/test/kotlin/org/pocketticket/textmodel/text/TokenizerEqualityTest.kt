package org.pocketticket.textmodel.text

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeNotNull
import org.junit.Test

/**
 * The Kotlin tokenizer against answers of Hugging Face's, which tests/android/test_tokenizer.py writes.
 *
 * The file named by `pocketticket.cases` has JSON lines: first one with the settings for all, then one for each text.
 */
class TokenizerEqualityTest {
    @Test
    fun ids_and_places_equal_hugging_faces() {
        val file = System.getProperty("pocketticket.cases")
        assumeNotNull(file)
        File(file!!).bufferedReader().use { lines ->
            val head = JSONObject(lines.readLine())
            val tokenizer = TokenizerParts.read(head.getJSONObject("tokenizer"), File(head.getString("file")).readBytes())
            val wrong = ArrayList<String>()
            var number = 0
            for (line in lines.lineSequence()) {
                number++
                check(tokenizer, JSONObject(line))?.let { wrong.add("text $number: $it") }
            }
            assertTrue("${wrong.size} of $number differ\n${wrong.take(20).joinToString("\n")}", wrong.isEmpty())
            assertEquals(head.getInt("count"), number)
            println("compared $number texts")
        }
    }

    private fun check(tokenizer: Tokenizer, case: JSONObject): String? {
        val b = if (case.isNull("b")) null else case.getString("b")
        val found = tokenizer.encode(case.getString("a"), b, case.getInt("max"))
        val ids = case.getJSONArray("ids").longs()
        if (found.ids.toList() != ids) return "ids ${found.ids.toList().take(40)} instead of ${ids.take(40)} for $case".take(600)
        if (found.segments.toList() != case.getJSONArray("segments").longs()) return "segments for $case".take(400)
        val places = found.tokens.flatMap { listOf(it.start.toLong(), it.end.toLong()) }
        val expected = case.optJSONArray("places")?.longs() ?: return null
        return if (places == expected) null else "places $places instead of $expected for $case".take(600)
    }

    private fun JSONArray.longs(): List<Long> = List(length()) { getLong(it) }
}
