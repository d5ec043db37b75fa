package org.pocketticket.demo.session

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.util.concurrent.Executor
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.TestPhone
import org.pocketticket.demo.TestSessions
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.bundle.BundleFiles
import org.pocketticket.textmodel.engine.ExecuTorchProgram
import org.pocketticket.textmodel.engine.Program
import org.pocketticket.textmodel.engine.ProgramLoader
import org.pocketticket.textmodel.engine.TextModel

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

    /** Runs what it holds when `runAll` is called, as a thread would some time later. */
    private class Later : Executor {
        private val waiting = ArrayDeque<Runnable>()

        override fun execute(task: Runnable) = waiting.addLast(task)

        fun runAll() {
            while (waiting.isNotEmpty()) waiting.removeFirst().run()
        }
    }

    private val thread = Later()
    private val main = Later()
    private val results = ArrayList<Result<String>>()

    private fun later(files: BundleFiles, folder: File = TestBundles.scratch()) =
        Session(files, folder, ExecuTorchProgram, TestPhone, thread, main)

    private fun runAll() = repeat(4) { thread.runAll(); main.runAll() }

    @Test
    fun a_measurement_asked_for_while_the_model_loads_stays_one() {
        val session = later(TestBundles.files("classification"))
        session.start()
        session.measure(runs = 3) { results.add(it) }
        val seen = ArrayList<Phase>()
        session.classify.watch { if (it.phase == Phase.READY) seen.add(session.benchmark.value.phase) }
        session.model.watch { if (it.phase == Phase.READY) seen.add(session.benchmark.value.phase) } // the last that `ready` sets
        runAll()
        assertEquals(listOf(Phase.RUNNING, Phase.RUNNING), seen)
        assertEquals(3, JSONObject(results.single().getOrThrow()).getInt("runs"))
        assertEquals(Phase.READY, session.benchmark.value.phase)
    }

    @Test
    fun whoever_waits_for_a_measurement_learns_that_it_was_canceled_or_could_not_be() {
        val session = later(TestBundles.files("classification"))
        session.start()
        session.measure { results.add(it) }
        session.cancelMeasurement()
        assertEquals(Session.CANCELED, results.single().exceptionOrNull()!!.message)
        session.measure { results.add(it) }
        session.measure { results.add(it) }
        assertEquals(2, results.size)
        session.cancelMeasurement("left")
        assertEquals("left" to "left", results[2].exceptionOrNull()!!.message to session.benchmark.value.message)
        runAll()
        assertEquals(3, results.size)
        val broken = later(TestBundles.nothing)
        broken.start()
        broken.measure { results.add(it) }
        runAll()
        assertTrue(results[3].exceptionOrNull()!!.message!!.contains("switched off"))
    }

    @Test
    fun an_end_while_loading_is_said_and_tried_again_only_when_asked() {
        val folder = TestBundles.scratch()
        val marker = File("${folder.path}.loading")
        val seen = ArrayList<Boolean>()
        val loader = ProgramLoader { file, threads -> seen.add(marker.exists()); ExecuTorchProgram.load(file, threads) }
        fun session() = Session(TestBundles.files("classification"), folder, loader, TestPhone, { it.run() }, { it.run() })
        session().also { it.start(); assertEquals(Phase.READY, it.classify.value.phase) }
        assertEquals(listOf(true) to false, seen to marker.exists())
        marker.writeText("") // as native code leaves it when it ends the process
        val next = session()
        next.start()
        assertEquals(Phase.DISABLED to Session.ENDED, next.classify.value.let { it.phase to it.message })
        assertEquals(1, seen.size)
        next.start(again = true)
        assertEquals(Phase.READY to false, next.classify.value.phase to marker.exists())
    }

    @Test
    fun a_lack_of_room_is_not_a_missing_model_and_can_be_mended() {
        val whole = TestBundles.files("classification")
        fun model(stream: () -> InputStream) = BundleFiles { if (it == "model.pte") stream() else whole.open(it) }
        val full = object : InputStream() {
            override fun read(): Int = throw IOException("No space left on device")
        }
        var room = false
        val session = TestSessions.of(model { if (room) whole.open("model.pte") else full })
        session.start()
        assertTrue(session.classify.value.message!!.contains("MB of free space"))
        room = true
        session.start(again = true)
        assertEquals(Phase.READY, session.classify.value.phase)
        val missing = TestSessions.of(model { throw FileNotFoundException() })
        missing.start()
        assertTrue(missing.classify.value.message!!.startsWith("This app was built without model.pte"))
    }

    @Test
    fun answers_that_are_no_numbers_are_sentences() {
        val known = Bundle.open(TestBundles.files("classification"), TestBundles.scratch()).golden
        for (bad in listOf(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY)) {
            var asked = 0
            val program = object : Program {
                override fun run(ids: LongArray, segments: LongArray?) =
                    if (asked < TextModel.SELF_TEST) known[asked++].outputs else listOf(FloatArray(7) { if (it == 3) bad else 1f })

                override fun close() = Unit
            }
            val session = TestSessions.of(TestBundles.files("classification"), ProgramLoader { _, _ -> program })
            session.start()
            session.ask("play a song", null)
            assertEquals("The model gave no finite numbers for this text.", session.classify.value.message)
            assertNull(session.classify.value.inference)
        }
    }
}
