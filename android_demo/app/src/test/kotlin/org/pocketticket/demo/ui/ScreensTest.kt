package org.pocketticket.demo.ui

import android.app.Application
import android.content.Intent
import android.text.Spanned
import android.text.style.BackgroundColorSpan
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.ProgressBar
import android.widget.RadioButton
import android.widget.TextView
import kotlin.math.roundToInt
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.R
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.engine.Answer
import org.robolectric.RuntimeEnvironment
import org.robolectric.shadows.ShadowLog

/** What stands on the screens, for every kind of task. */
class ScreensTest : Screens("classification", "play the new song by miley cyrus") {
    @Test
    fun classes_show_labels_bars_latency_and_tokens() {
        open("classification")
        assertShown("tiny classification")
        assertFalse(find<View>(R.id.text_b).isShown)
        type("play the new song by miley cyrus")
        val answer = answer() as Answer.Classes
        assertShown(*answer.scores.take(5).map { it.label }.toTypedArray())
        assertShown("%.1f %%".format(answer.scores[0].probability * 100), "and 2 other labels")
        assertTrue(texts().any { Regex("""\d+\.\d ms · 10 tokens""").matches(it) })
    }

    @Test
    fun a_long_text_says_what_was_left_out() {
        open("classification")
        type("song ".repeat(100))
        assertShown("The model reads 64 tokens; 38 tokens at the end were left out.")
        draw("truncated-light")
    }

    @Test
    fun a_pair_has_two_fields() {
        open("pair")
        type("It rains in Paris.", "The weather is wet.")
        assertShown("First text", "Second text", "entailment")
        draw("pair-light")
    }

    @Test
    fun a_regression_shows_its_value_on_the_scale() {
        open("pair_regression")
        type("It rains.", "It is raining.")
        val value = answer() as Answer.Value
        assertShown("Value", "%.2f".format(value.value))
        assertEquals((value.fraction!! * 1000).roundToInt(), find<ProgressBar>(R.id.bar).progress)
        draw("pair_regression-light")
    }

    @Test
    fun an_answer_is_highlighted_in_its_passage() {
        open("qa")
        type("Who spoke?", "It rains in the city of Łódź today, said the man from München.")
        assertShown("Question", "Passage that may hold the answer")
        val span = (answer() as Answer.Passage).span!!
        assertEquals(listOf(span.start to span.end), highlights())
        draw("qa-light")
    }

    @Test
    fun a_question_without_an_answer_is_said_in_words() {
        val manifest = JSONObject(TestBundles.read("qa", "manifest.json"))
        manifest.getJSONObject("task").put("no_answer_threshold", -1e6)
        open(TestBundles.files("qa", mapOf("manifest.json" to manifest.toString().encodeToByteArray())))
        type("Who spoke?", "It rains in the city of Łódź today, said the man from München.")
        assertShown("No answer: the passage does not answer this question.")
        assertEquals(emptyList<Any>(), highlights())
        draw("no-answer-light")
        type("Who spoke?", " ")
        assertShown("The passage is empty.")
    }

    @Test
    fun labels_have_a_bar_each() {
        open("multilabel")
        type("what a lovely surprise")
        val found = answer() as Answer.Labels
        assertEquals(4, found.chosen.size + found.others.size)
        (found.chosen + found.others).forEach { assertShown(it.label) }
        draw("labels-light")
    }

    @Test
    fun a_text_without_any_label_is_said_in_words() {
        val manifest = JSONObject(TestBundles.read("multilabel", "manifest.json"))
        manifest.getJSONObject("task").put("thresholds", JSONArray(listOf(1, 1, 1, 1)))
        open(TestBundles.files("multilabel", mapOf("manifest.json" to manifest.toString().encodeToByteArray())))
        type("what a lovely surprise")
        assertShown("None of the labels applies to this text.")
    }

    @Test
    fun entities_are_highlighted_and_listed() {
        open("tokens")
        type("Ada Lovelace met Charles Babbage in London near the river Thames in May")
        val found = answer() as Answer.Entities
        assertTrue(found.entities.isNotEmpty())
        assertEquals(found.entities.map { it.start to it.end }, highlights())
        found.entities.forEach { assertShown("${found.text.substring(it.start, it.end)} (${it.label})") }
        draw("tokens-light")
    }

    /** Start and end of every highlighted stretch of the answer. */
    private fun highlights(): List<Pair<Int, Int>> {
        val answer = find<ViewGroup>(R.id.answer)
        return (0 until answer.childCount).map { answer.getChildAt(it) }.filterIsInstance<TextView>()
            .mapNotNull { it.text as? Spanned }
            .flatMap { text -> text.getSpans(0, text.length, BackgroundColorSpan::class.java).map { text.getSpanStart(it) to text.getSpanEnd(it) } }
    }

    @Test
    fun the_model_screen_shows_the_manifest_and_the_self_test() {
        open("classification")
        choose(R.id.tab_model)
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        assertShown(
            manifest.getString("name"), manifest.getJSONObject("model").getString("sha256"), "accuracy 0.9100",
            "95 % confidence interval 0.8900 to 0.9300", "Unpruned model: 0.9200", "3.84 times smaller", "2.30 times faster at 12 tokens",
            "Up to 64 tokens; 7 labels", "a small random BERT: Apache-2.0",
        )
        assertTrue(texts().any { Regex("""Passed: \d{2,} known answers, off by at most 0\.\d+""").matches(it) })
    }

    @Test
    fun without_a_model_every_screen_says_so_and_its_buttons_are_off() {
        open(null)
        assertFalse(find<Button>(R.id.run).isEnabled)
        assertFalse(find<Button>(R.id.benchmark_run).isEnabled)
        assertShown("Pocket Ticket", "This app was built without manifest.json; build it again around a complete bundle.")
        draw("disabled-light")
    }

    @Test
    fun a_rotation_keeps_text_answer_and_tab() {
        open("classification")
        type("play the new song")
        val before = texts(find(R.id.answer))
        choose(R.id.tab_model)
        RuntimeEnvironment.setQualifiers("+land")
        controller!!.recreate()
        idle()
        assertTrue(find<RadioButton>(R.id.tab_model).isChecked)
        choose(R.id.tab_classify)
        assertEquals("play the new song", find<EditText>(R.id.text_a).text.toString())
        assertEquals(before, texts(find(R.id.answer)))
        draw("rotated-light")
    }

    @Test
    fun talkback_reads_rows_as_sentences_and_fields_by_their_labels() {
        open("classification")
        type("play the new song")
        val answer = find<ViewGroup>(R.id.answer)
        assertTrue(Regex("""\w+, \d+\.\d %""").matches(answer.getChildAt(0).contentDescription))
        assertEquals(R.id.text_a, find<TextView>(R.id.label_a).labelFor)
        assertEquals(R.id.text_b, find<TextView>(R.id.label_b).labelFor)
        for (id in listOf(R.id.run, R.id.example)) {
            assertTrue("touch targets of 48 dp", find<View>(id).height >= 48 * activity.resources.displayMetrics.density)
        }
    }

    @Test
    fun an_intent_measures_and_writes_the_result_to_the_log() {
        open("classification", Intent().putExtra("benchmark", "run7").putExtra("runs", 3))
        val lines = ShadowLog.getLogsForTag("PocketTicket").map { it.msg }.filter { it.startsWith("benchmark run7 ok") }
        val json = JSONObject(lines.joinToString("") { it.substringAfter(' ').substringAfter(' ').substringAfter(' ').substringAfter(' ') })
        assertEquals(3, json.getInt("runs"))
        assertShown("12 tokens", "3 runs after 20 warm-up runs, 1 thread", "Thermal status: none before, none after")
    }

    @Test
    fun the_app_asks_for_no_permission() {
        open("classification")
        val info = activity.packageManager.getPackageInfo(activity.packageName, android.content.pm.PackageManager.GET_PERMISSIONS)
        assertEquals(emptyList<String>(), info.requestedPermissions.orEmpty().toList())
        assertTrue(activity.application is Application)
    }
}
