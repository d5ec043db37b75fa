package org.pocketticket.demo.ui

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.R
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.engine.Answer
import org.pocketticket.textmodel.engine.ExecuTorchProgram
import org.pocketticket.textmodel.engine.LabelNames
import org.pocketticket.textmodel.engine.TextModel

/** A run's own bundle, of classes: its very program, its known answers, its manifest on the screens. */
class RunScreensTest : Screens("run", System.getProperty("pocketticket.text") ?: "wake me at seven") {
    private val manifest by lazy { JSONObject(TestBundles.read("run", "manifest.json")) }

    @Test
    fun the_phones_library_gives_every_known_answer() {
        val bundle = Bundle.open(TestBundles.files("run"), TestBundles.scratch())
        TextModel(bundle, ExecuTorchProgram.load(bundle.model, bundle.manifest.model.threads)).use { model ->
            val test = model.selfTest(Int.MAX_VALUE)
            assertNull(test.failure)
            assertEquals(bundle.golden.size, test.examples)
            println("${test.examples} known answers, off by at most ${test.worstDifference}")
        }
    }

    @Test
    fun the_answer_names_the_tasks_labels() {
        open(kind)
        type("wake me at seven")
        val labels = manifest.getJSONObject("task").getJSONArray("labels").let { all -> List(all.length(), all::getString) }
        val answer = answer() as Answer.Classes
        assertEquals(labels.toSet(), answer.scores.map { it.label }.toSet())
        assertShown(LabelNames.readable(answer.scores[0].label), "%.1f %%".format(answer.scores[0].probability * 100))
    }

    @Test
    fun the_model_screen_shows_the_runs_numbers() {
        open(kind)
        choose(R.id.tab_model)
        val report = manifest.getJSONObject("report")
        assertShown(
            manifest.getString("name"),
            manifest.getJSONObject("model").getString("sha256"),
            "%.4f".format(report.getDouble("metric_test")),
            "Unpruned model: %.4f".format(report.getDouble("dense_metric_test")),
            "%.2f times smaller".format(report.getDouble("size_ratio")),
            "%.2f times faster at 12 tokens".format(report.getJSONObject("speed_ratio").getDouble("12")),
        )
        assertTrue(texts().any { Regex("""Passed: 64 known answers, off by at most \d+\.\d+""").matches(it) })
    }
}
