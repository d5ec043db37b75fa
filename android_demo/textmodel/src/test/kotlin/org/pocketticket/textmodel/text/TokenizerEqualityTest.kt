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
            val description = head.getJSONObject("tokenizer")
            val before = held()
            val began = System.nanoTime()
            val tokenizer = TokenizerParts.read(description, File(head.getString("file")).readBytes())
            tokenizer.encode("Ready?", null, 128)
            val ready = System.nanoTime() - began
            val kilobytes = held() - before
            println("ready in ${ready / 1_000_000} ms, holds $kilobytes KB")
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

    /** What the heap holds, in kilobytes. */
    private fun held(): Long {
        repeat(5) { System.gc() }
        return Runtime.getRuntime().run { totalMemory() - freeMemory() } / 1000
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
