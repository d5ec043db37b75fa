package org.pocketticket.demo.ui

import android.app.Application
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Insets
import android.os.Looper
import android.text.Spanned
import android.text.style.BackgroundColorSpan
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.view.WindowManager
import android.view.inputmethod.EditorInfo
import android.view.inputmethod.InputMethodManager
import android.widget.Button
import android.widget.EditText
import android.widget.ProgressBar
import android.widget.RadioButton
import android.widget.TextView
import java.time.Duration
import kotlin.math.roundToInt
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.demo.R
import org.pocketticket.demo.session.Phase
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.engine.Answer
import org.pocketticket.textmodel.engine.LabelNames
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowLog
import org.xmlpull.v1.XmlPullParser

/** What stands on the screens, for every kind of task. */
class ScreensTest : Screens("classification", "play the new song by miley cyrus") {
    @Test
    fun classes_show_labels_bars_latency_and_tokens() {
        open("classification")
        assertShown("tiny classification")
        assertFalse(find<View>(R.id.text_b).isShown)
        type("play the new song by miley cyrus")
        val answer = answer() as Answer.Classes
        assertShown(*answer.scores.take(5).map { LabelNames.readable(it.label) }.toTypedArray())
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
        assertShown("First text", "Second text", "Entailment", "Not entailment")
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
        (found.chosen + found.others).forEach { assertShown(LabelNames.readable(it.label)) }
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
        found.entities.forEach { assertShown("${found.text.substring(it.start, it.end)} (${LabelNames.readable(it.label)})") }
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
        assertFalse(find<EditText>(R.id.text_a).isEnabled)
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
        assertTrue(Regex("""[\w ]+, \d+\.\d %""").matches(answer.getChildAt(0).contentDescription))
        assertEquals(R.id.text_a, find<TextView>(R.id.label_a).labelFor)
        assertEquals(R.id.text_b, find<TextView>(R.id.label_b).labelFor)
        for (view in listOf(find<ViewGroup>(R.id.examples).getChildAt(0), find(R.id.tab_classify))) {
            assertTrue("touch targets of 48 dp", view.height >= 48 * activity.resources.displayMetrics.density)
        }
    }

    @Test
    fun an_intent_measures_and_writes_the_result_to_the_log() {
        open("classification", measuring())
        val lines = ShadowLog.getLogsForTag("PocketTicket").map { it.msg }.filter { it.startsWith("benchmark run7 ok") }
        val json = JSONObject(lines.joinToString("") { it.substringAfter(' ').substringAfter(' ').substringAfter(' ').substringAfter(' ') })
        assertEquals(3, json.getInt("runs"))
        assertShown("12 tokens", "3 runs after 20 warm-up runs, 1 thread", "Thermal status: none before, none after")
    }

    /** As `am start -n org.pocketticket.demo/.Measure` asks. */
    private fun measuring() =
        Intent().setClassName("org.pocketticket.demo", "org.pocketticket.demo.Measure").putExtra("benchmark", "run7").putExtra("runs", 3)

    @Test
    fun only_the_guarded_door_measures() {
        open("classification", measuring().setClassName("org.pocketticket.demo", "org.pocketticket.demo.MainActivity"))
        assertEquals(emptyList<Any>(), ShadowLog.getLogsForTag("PocketTicket"))
        assertNull(session.benchmark.value.result)
        val door = activity.packageManager.getActivityInfo(measuring().component!!, 0)
        assertEquals("android.permission.DUMP", door.permission)
        assertTrue(door.exported)
        open("classification", measuring().putExtra("runs", 30_000))
        assertEquals(1_000, session.benchmark.value.result!!.runs)
    }

    @Test
    fun a_result_is_shared_as_text() {
        open("classification", measuring())
        find<Button>(R.id.benchmark_share).performClick()
        val chooser = shadowOf(activity).nextStartedActivity
        val send = chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        assertEquals("text/plain", send.type)
        assertEquals(3, JSONObject(send.getStringExtra(Intent.EXTRA_TEXT)!!).getInt("runs"))
    }

    @Test
    fun a_measurement_keeps_the_screen_on_and_ends_when_the_app_is_left() {
        open("classification")
        val waiting = session.benchmark.value
        session.benchmark.value = waiting.copy(phase = Phase.RUNNING)
        val awake = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        assertEquals(awake, activity.window.attributes.flags and awake)
        session.benchmark.value = waiting
        assertEquals(0, activity.window.attributes.flags and awake)
    }

    @Test
    fun examples_are_ordinary_texts_with_the_label_of_the_data() {
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        val examples = JSONArray().put(JSONObject().put("text_a", "play some jazz").put("text_b", JSONObject.NULL).put("label", "PlayMusic"))
        manifest.put("examples", examples)
        open(TestBundles.files("classification", mapOf("manifest.json" to manifest.toString().encodeToByteArray())))
        val chips = find<ViewGroup>(R.id.examples)
        assertEquals(1, chips.childCount)
        chips.getChildAt(0).performClick()
        idle()
        assertEquals("play some jazz", find<EditText>(R.id.text_a).text.toString())
        val found = (answer() as Answer.Classes).scores[0].label == "PlayMusic"
        assertShown(if (found) "As the data labels this example." else "The data labels this example “Play music”.")
    }

    @Test
    fun a_bundle_without_examples_offers_no_traps_for_tokenizers() {
        open("classification")
        val offered = session.classify.value.examples
        assertTrue(offered.isNotEmpty() && offered.size <= 12)
        assertTrue(offered.toString(), offered.all { Regex("[a-zA-Z' ,.?!]{12,160}").matches(it.textA) })
    }

    @Test
    fun below_its_threshold_the_model_is_not_sure() {
        val manifest = JSONObject(TestBundles.read("classification", "manifest.json"))
        manifest.getJSONObject("task").put("not_sure_below", 0.999999)
        open(TestBundles.files("classification", mapOf("manifest.json" to manifest.toString().encodeToByteArray())))
        type("play the new song")
        assertEquals("Not sure", find<TextView>(R.id.headline).text)
        assertShown("The closest is “${LabelNames.readable((answer() as Answer.Classes).scores[0].label)}” with")
        draw("not-sure-light")
    }

    @Test
    fun the_keyboard_offers_done_which_hides_it_and_asks() {
        open("classification")
        val field = find<EditText>(R.id.text_a)
        val info = EditorInfo()
        field.onCreateInputConnection(info)
        assertEquals(EditorInfo.IME_ACTION_DONE, info.imeOptions and EditorInfo.IME_MASK_ACTION)
        assertEquals("Done is suppressed", 0, info.imeOptions and EditorInfo.IME_FLAG_NO_ENTER_ACTION)
        assertTrue(info.imeOptions and EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING != 0)
        assertTrue(field.maxLines > 1)
        val manager = activity.getSystemService(InputMethodManager::class.java)
        val keyboard = shadowOf(manager)
        manager.showSoftInput(field, 0)
        field.setText("play a song")
        field.onEditorAction(EditorInfo.IME_ACTION_DONE)
        idle()
        answer()
        assertFalse(keyboard.isSoftInputVisible)
    }

    @Test
    fun blank_texts_get_no_answer_and_endless_ones_are_cut() {
        open("classification")
        for (blank in listOf("", "   ", "\n\t ")) {
            type("play a song")
            type(blank)
            assertNull(session.classify.value.inference)
            assertFalse(find<View>(R.id.card).isShown)
        }
        type("[UNK] song ".repeat(100_000))
        assertEquals(ClassifyScreen.MOST_CHARS, find<EditText>(R.id.text_a).length())
        answer()
    }

    @Test
    fun a_shared_text_is_answered() {
        val share = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, "play the new song")
        open("classification", share)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1))
        assertEquals("play the new song", find<EditText>(R.id.text_a).text.toString())
        answer()
        val found = activity.packageManager.queryIntentActivities(share, 0).map { it.activityInfo.name }
        assertTrue(found.toString(), "org.pocketticket.demo.MainActivity" in found)
    }

    @Test
    fun nothing_is_copied_to_a_cloud_or_another_phone() {
        open("classification")
        val xml = activity.resources.getXml(R.xml.no_transfer)
        val excluded = HashMap<String, HashSet<String>>()
        var section = ""
        while (xml.next() != XmlPullParser.END_DOCUMENT) {
            if (xml.eventType != XmlPullParser.START_TAG) continue
            if (xml.name == "exclude") excluded.getOrPut(section) { HashSet() }.add(xml.getAttributeValue(null, "domain")) else section = xml.name
        }
        val all = setOf("root", "file", "database", "sharedpref", "external")
        assertEquals(mapOf("cloud-backup" to all, "device-transfer" to all), excluded)
    }

    @Test
    fun back_leads_to_the_first_screen_and_then_out() {
        open("classification")
        choose(R.id.tab_model)
        @Suppress("DEPRECATION")
        activity.onBackPressed()
        assertTrue(find<RadioButton>(R.id.tab_classify).isChecked)
        assertFalse(activity.isFinishing)
    }

    @Test
    fun bars_and_keyboard_cover_nothing() {
        open("classification")
        fun apply(keyboard: Int) {
            val insets = WindowInsets.Builder()
                .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, 50, 0, 0))
                .setInsets(WindowInsets.Type.navigationBars(), Insets.of(0, 0, 0, 30))
                .setInsets(WindowInsets.Type.ime(), Insets.of(0, 0, 0, keyboard))
            find<View>(R.id.root).dispatchApplyWindowInsets(insets.build())
        }
        apply(keyboard = 0)
        val (screens, tabs) = find<View>(R.id.screens) to find<View>(R.id.tabs)
        assertEquals(listOf(50, 0, 30), listOf(screens.paddingTop, screens.paddingBottom, tabs.paddingBottom))
        apply(keyboard = 400)
        assertEquals(listOf(50, 400), listOf(screens.paddingTop, screens.paddingBottom))
        assertFalse("tabs above the keyboard take the room of the text", tabs.isShown)
        apply(keyboard = 0)
        assertTrue(tabs.isShown)
    }

    @Test
    fun bars_grow_from_the_side_where_reading_begins() {
        fun filled(x: Float): Int {
            val bar = find<ProgressBar>(R.id.bar)
            bar.progress = bar.max / 4
            val picture = Bitmap.createBitmap(bar.width, bar.height, Bitmap.Config.ARGB_8888)
            bar.draw(Canvas(picture))
            return picture.getPixel((x * picture.width).toInt(), picture.height / 2)
        }
        val accent = { activity.getColor(R.color.accent) }
        open("pair_regression")
        type("It rains.", "It is raining.")
        assertTrue(filled(0.1f) == accent() && filled(0.9f) != accent())
        RuntimeEnvironment.setQualifiers("+ar-ldrtl")
        everyScreen("-rtl")
        open("pair_regression")
        type("It rains.", "It is raining.")
        assertTrue("bars fill from the wrong side", filled(0.9f) == accent() && filled(0.1f) != accent())
    }

    @Test
    fun landscape_and_tablet() {
        RuntimeEnvironment.setQualifiers("+w740dp-h360dp-land")
        everyScreen("-landscape")
        RuntimeEnvironment.setQualifiers("+sw800dp-w1280dp-h800dp")
        everyScreen("-tablet")
        val field = find<View>(R.id.text_a)
        assertTrue("lines of ${field.width} px are too long to read", field.width < 0.8 * activity.window.decorView.width)
    }

    @Test
    fun the_app_asks_for_no_permission() {
        open("classification")
        val info = activity.packageManager.getPackageInfo(activity.packageName, android.content.pm.PackageManager.GET_PERMISSIONS)
        assertEquals(emptyList<String>(), info.requestedPermissions.orEmpty().toList())
        assertTrue(activity.application is Application)
    }
}
