package org.pocketticket.demo.session

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.TestSessions
import org.pocketticket.textmodel.TestBundles

/** What the session does with a bundle that can't be used. */
class SessionTest {
    @Test
    fun a_wrong_known_answer_switches_the_model_off() {
        val golden = JSONObject(TestBundles.read("classification", "golden.json"))
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        val logits = golden.getJSONArray("examples").getJSONObject(63).getJSONArray("logits")
        logits.put(0, logits.getDouble(0) + 1.01 * manifest.getJSONObject("golden").getDouble("tolerance"))
        val session = TestSessions.of(TestBundles.changed("golden.json", "golden", golden.toString().encodeToByteArray()))
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
        val session = TestSessions.of(TestBundles.changed("golden.json", "golden", golden.toString().encodeToByteArray()))
        session.start()
        assertTrue(session.model.value.message!!.startsWith("Known text 11 becomes other tokens here"))
    }

    @Test
    fun without_a_bundle_the_screens_say_so() {
        val session = TestSessions.of(TestBundles.nothing)
        session.start()
        assertEquals(Phase.DISABLED, session.benchmark.value.phase)
        assertNotNull(session.classify.value.message)
    }

    @Test
    fun a_program_that_cannot_be_loaded_is_a_sentence() {
        val bytes = TestBundles.files("classification").open("model.pte").use { it.readBytes() }
        val cut = bytes.copyOf(bytes.size / 2).also { it.fill(0, 0, 64) }
        val session = TestSessions.of(TestBundles.changed("model.pte", "model", cut))
        session.start()
        assertTrue(session.model.value.message!!.startsWith("The model can't be loaded on this phone:"))
    }
}
