package org.pocketticket.textmodel.engine

import kotlin.random.Random
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.text.Encoding
import org.pocketticket.textmodel.text.Token

/** A program reads every id as text: padded ids never reach it. */
class PaddingTest {
    private class Recorded : Program {
        val seen = ArrayList<List<Long>>()

        override fun run(ids: LongArray, segments: LongArray?): List<FloatArray> {
            seen.add(ids.toList())
            return listOf(FloatArray(7))
        }

        override fun close() = Unit
    }

    private val program = Recorded()

    private fun open(change: (JSONObject) -> Unit = {}): TextModel {
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json")).also { change(it.getJSONObject("model")) }
        val files = TestBundles.files("classification", mapOf("manifest.json" to manifest.toString().encodeToByteArray()))
        return TextModel(Bundle.open(files, TestBundles.scratch()), program)
    }

    private fun Random.text() = List(nextInt(0, 12)) { listOf("play", "a", "song", "[PAD]", "ok", "🎉").random(this) }.joinToString(" ")

    private fun padded(encoding: Encoding, before: Int, after: Int, pad: Long): Encoding {
        fun padding(count: Int) = List(count) { Token(pad.toInt(), -1, 0, 0, -1) }
        val tokens = padding(before) + encoding.tokens + padding(after)
        return Encoding(tokens, LongArray(tokens.size), 0)
    }

    @Test
    fun padded_ids_are_refused_on_either_side_and_others_are_not() {
        val (model, random) = open() to Random(0)
        val pad = model.bundle.manifest.model.padId!!
        repeat(200) {
            val encoding = model.encode(random.text(), null)
            model.run(encoding)
            assertEquals(encoding.ids.toList(), program.seen.last())
            val count = program.seen.size
            val (before, after) = random.nextInt(0, 3) to random.nextInt(0, 40)
            if (before + after == 0) return@repeat
            val error = assertThrows(TextModelError::class.java) { model.run(padded(encoding, before, after, pad)) }
            assertTrue(error.message!!.contains("padding id $pad") && error.message!!.endsWith("."))
            assertEquals(count, program.seen.size)
        }
    }

    @Test
    fun an_older_bundle_is_read_and_one_that_wants_padding_is_not() {
        val older = open { it.remove("padding"); it.remove("pad_id") }
        assertEquals(null, older.bundle.manifest.model.padId)
        older.run(older.encode("play a song", null))
        assertEquals(null, open { it.put("pad_id", JSONObject.NULL) }.bundle.manifest.model.padId)
        for (way in listOf("right", "left", "64")) {
            val error = assertThrows(TextModelError::class.java) { open { it.put("padding", way) } }
            assertTrue(error.message!!.contains("“$way”"))
        }
    }
}
