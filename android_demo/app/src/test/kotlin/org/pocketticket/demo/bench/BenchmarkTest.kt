package org.pocketticket.demo.bench

import java.io.File
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.session.Cancellation
import org.pocketticket.demo.TestSessions
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.engine.Program
import org.pocketticket.textmodel.engine.ProgramLoader
import org.pocketticket.textmodel.engine.TextModel

class BenchmarkTest {
    /** A program whose n-th run takes n milliseconds of a made-up clock. */
    private class Scripted : Program {
        var now = 0L
        val lengths = ArrayList<Int>()

        override fun run(ids: LongArray, segments: LongArray?): List<FloatArray> {
            lengths.add(ids.size)
            now += 1_000_000L * lengths.count { it == ids.size }
            return listOf(FloatArray(7))
        }

        override fun close() = Unit
    }

    private val program = Scripted()
    private val model = TextModel(Bundle.open(TestBundles.files("classification"), TestBundles.scratch()), program)
    private val benchmark = Benchmark(model) { program.now }

    @Test
    fun warm_up_is_not_counted_and_percentiles_are_numpys() {
        val shares = ArrayList<Float>()
        val timings = benchmark.run(101, Cancellation(), shares::add)!!
        // runs 21 to 121: numpy.percentile(range(21, 122), [50, 10, 90])
        assertEquals(listOf(12, 32, 64).map { Timing(it, 71.0, 31.0, 111.0) }, timings)
        assertEquals(listOf(12, 32, 64).flatMap { length -> List(121) { length } }, program.lengths)
        assertTrue(shares == shares.sorted() && shares.last() <= 1f)
    }

    @Test
    fun percentiles_lie_between_neighbors() {
        assertEquals(2.8, Benchmark.percentile(doubleArrayOf(1.0, 3.0, 2.0, 10.0).sortedArray(), 0.6), 1e-12)
        assertEquals(5.0, Benchmark.percentile(doubleArrayOf(5.0), 0.9), 0.0)
    }

    @Test
    fun cancelling_ends_it_without_a_result() {
        val cancellation = Cancellation()
        assertNull(benchmark.run(100, cancellation) { cancellation.cancel() })
    }

    @Test
    fun the_session_reports_json_and_forgets_what_was_cancelled() {
        val session = TestSessions.of(TestBundles.files("classification"), ProgramLoader { _: File, _: Int -> Golden() })
        session.start()
        var json = ""
        session.measure(runs = 5) { json = it.getOrThrow() }
        val result = JSONObject(json)
        assertEquals(setOf("12", "32", "64"), result.getJSONObject("latency_ms").keys().asSequence().toSet())
        assertEquals(TestBundles.folder("classification").resolve("model.pte").length(), result.getJSONObject("model").getLong("bytes"))
        assertEquals("Model 7", result.getJSONObject("device").getString("model"))
        assertEquals(5 to 20, result.getInt("runs") to result.getInt("warm_up"))
    }

    /** Gives the known answers, in their order, as the self-test asks for them; zeros afterwards. */
    private class Golden : Program {
        private val answers = Bundle.open(TestBundles.files("classification"), TestBundles.scratch()).golden.iterator()

        override fun run(ids: LongArray, segments: LongArray?): List<FloatArray> =
            if (answers.hasNext()) answers.next().outputs else listOf(FloatArray(7))

        override fun close() = Unit
    }
}
