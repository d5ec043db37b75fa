package org.pocketticket.textmodel.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.bundle.BundleFiles
import org.pocketticket.textmodel.bundle.Kind

/** The app's own code with the phone's own native library (its x86_64 build) on real programs. */
class EngineTest {
    private fun open(kind: String): TextModel {
        val bundle = Bundle.open(TestBundles.files(kind), TestBundles.scratch())
        return TextModel(bundle, ExecuTorchProgram.load(bundle.model, bundle.manifest.model.threads))
    }

    @Test
    fun known_answers_come_back_for_every_kind_of_task() {
        for (kind in Kind.entries.map { it.key }.filter { TestBundles.folder(it).isDirectory }) {
            open(kind).use { model ->
                val test = model.selfTest(Int.MAX_VALUE)
                assertNull("$kind: ${test.failure}", test.failure)
                assertTrue(test.examples >= 200)
                println("$kind: ${test.examples} known answers, off by at most ${test.worstDifference}")
            }
        }
    }

    @Test
    fun asking_reports_tokens_and_what_was_left_out() = open("classification").use { model ->
        val limit = model.bundle.manifest.model.maxTokens
        assertEquals(5, model.ask("play a song", null).tokens)
        val long = model.ask("song ".repeat(500), null)
        assertEquals(limit to 500 + 2 - limit, long.tokens to long.dropped)
        val shares = (model.ask("", null).answer as Answer.Classes).scores.map { it.probability }
        assertEquals(1f, shares.sum(), 1e-5f)
        assertEquals(shares.sortedDescending(), shares)
    }

    @Test
    fun a_damaged_program_is_a_sentence_not_a_crash() {
        val bytes = TestBundles.files("classification").open("model.pte").use { it.readBytes() }
        val other = TestBundles.files("classification", mapOf("model.pte" to bytes.copyOf(bytes.size).also { it[99] = 1 }))
        val error = assertThrows(TextModelError::class.java) { Bundle.open(other, TestBundles.scratch()) }
        assertTrue(error.message!!.contains("damaged"))
    }

    @Test
    fun the_model_is_unpacked_once_and_older_ones_are_removed() {
        var opened = 0
        val files = BundleFiles { name -> TestBundles.files("classification").open(name).also { if (name == "model.pte") opened++ } }
        val folder = TestBundles.scratch()
        val first = Bundle.open(files, folder).model
        folder.resolve("of an older app.pte").writeText("x")
        assertEquals(first, Bundle.open(files, folder).model)
        assertEquals(1, opened)
        first.appendText("damage")
        assertEquals(first, Bundle.open(files, folder).model)
        assertEquals(2 to listOf(first.name), opened to folder.list()!!.toList())
    }
}
