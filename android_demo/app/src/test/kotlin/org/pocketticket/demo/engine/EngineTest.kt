package org.pocketticket.demo.engine

import java.security.MessageDigest
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.DemoError
import org.pocketticket.demo.TestBundles
import org.pocketticket.demo.bundle.Bundle
import org.pocketticket.demo.bundle.BundleFiles
import org.pocketticket.demo.bundle.Kind
import org.pocketticket.demo.session.Phase

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
    fun a_wrong_known_answer_switches_the_model_off() {
        val golden = JSONObject(TestBundles.read("classification", "golden.json"))
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        val logits = golden.getJSONArray("examples").getJSONObject(63).getJSONArray("logits")
        logits.put(0, logits.getDouble(0) + 1.01 * manifest.getJSONObject("golden").getDouble("tolerance"))
        val session = TestBundles.session(changed("golden.json", "golden", golden.toString().encodeToByteArray()))
        session.start()
        assertEquals(Phase.DISABLED, session.classify.value.phase)
        assertTrue(session.model.value.message!!.startsWith("Known text 64 gets another answer on this phone"))
        session.ask("play a song", null)
        assertNull(session.classify.value.inference)
        assertTrue(session.classify.value.message!!.contains("switched off"))
    }

    @Test
    fun a_known_text_with_other_tokens_switches_the_model_off() {
        val golden = JSONObject(TestBundles.read("classification", "golden.json"))
        golden.getJSONArray("examples").getJSONObject(10).getJSONArray("input_ids").put(0, 7)
        val session = TestBundles.session(changed("golden.json", "golden", golden.toString().encodeToByteArray()))
        session.start()
        assertTrue(session.model.value.message!!.startsWith("Known text 11 becomes other tokens here"))
    }

    @Test
    fun a_damaged_program_is_a_sentence_not_a_crash() {
        val bytes = TestBundles.files("classification").open("model.pte").use { it.readBytes() }
        val other = TestBundles.files("classification", mapOf("model.pte" to bytes.copyOf(bytes.size).also { it[99] = 1 }))
        val error = assertThrows(DemoError::class.java) { Bundle.open(other, TestBundles.scratch()) }
        assertTrue(error.message!!.contains("damaged"))
        val cut = bytes.copyOf(bytes.size / 2).also { it.fill(0, 0, 64) }
        val session = TestBundles.session(changed("model.pte", "model", cut))
        session.start()
        assertTrue(session.model.value.message!!.startsWith("The model can't be loaded on this phone:"))
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

    @Test
    fun without_a_bundle_the_screens_say_so() {
        val session = TestBundles.session(TestBundles.nothing)
        session.start()
        assertEquals(Phase.DISABLED, session.benchmark.value.phase)
        assertNotNull(session.classify.value.message)
    }

    /** The bundle with one file replaced and its hash in the manifest set right. */
    private fun changed(file: String, key: String, bytes: ByteArray): BundleFiles {
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        val sha256 = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
        manifest.getJSONObject(key).put("sha256", sha256).put("bytes", bytes.size)
        return TestBundles.files(
            "classification", mapOf(file to bytes, "manifest.json" to manifest.toString().encodeToByteArray()),
        )
    }
}
