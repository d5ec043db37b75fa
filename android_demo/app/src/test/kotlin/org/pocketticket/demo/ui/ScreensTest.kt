package org.pocketticket.demo.ui

import android.app.Application
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.text.Spanned
import android.text.style.BackgroundColorSpan
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.ProgressBar
import android.widget.RadioButton
import android.widget.TextView
import java.io.File
import kotlin.math.roundToInt
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.pocketticket.demo.DemoApp
import org.pocketticket.demo.MainActivity
import org.pocketticket.demo.R
import org.pocketticket.demo.TestBundles
import org.pocketticket.demo.bundle.BundleFiles
import org.pocketticket.demo.engine.Answer
import org.pocketticket.demo.session.Session
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowLog

/** The app with a bundle that the test chooses; all work happens at once. */
class ScreensApp : DemoApp() {
    override fun createSession(): Session = TestBundles.session(bundle)

    companion object {
        var bundle: BundleFiles = TestBundles.nothing
    }
}

/** Draws the real screens with the real resources and the real runtime, and reads what stands on them. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = ScreensApp::class, qualifiers = "en-rUS-w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest {
    private var controller: ActivityController<MainActivity>? = null
    private val activity: MainActivity get() = controller!!.get()
    private val session: Session get() = (activity.application as DemoApp).session

    private fun open(kind: String?, intent: Intent = Intent()) {
        ScreensApp.bundle = kind?.let { TestBundles.files(it) } ?: TestBundles.nothing
        controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        idle()
    }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun <T : View> find(id: Int): T = activity.findViewById(id)

    private fun type(a: String, b: String? = null) {
        find<EditText>(R.id.text_a).setText(a)
        b?.let { find<EditText>(R.id.text_b).setText(it) }
        find<Button>(R.id.run).performClick()
        idle()
    }

    private fun answer(): Answer = session.classify.value.let { checkNotNull(it.inference) { it.message ?: "no answer yet" }.answer }

    private fun choose(tab: Int) {
        find<RadioButton>(tab).performClick()
        idle()
    }

    /** Every text that can be seen, from top to bottom. */
    private fun texts(view: View = activity.window.decorView): List<String> = when {
        view.visibility != View.VISIBLE -> emptyList()
        view is TextView -> listOf(view.text.toString())
        view is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        else -> emptyList()
    }

    private fun assertShown(vararg expected: String) {
        val shown = texts()
        for (text in expected) assertTrue("“$text” is not among $shown", shown.any { text in it })
    }

    private fun draw(name: String): Bitmap {
        val decor = activity.window.decorView
        val bitmap = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
        decor.draw(Canvas(bitmap))
        System.getProperty("pocketticket.screenshots")?.let { folder ->
            File(folder, "$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
        val colors = HashSet<Int>()
        for (x in 0 until bitmap.width step 7) for (y in 0 until bitmap.height step 7) colors.add(bitmap.getPixel(x, y))
        assertTrue("$name is blank", colors.size > 5)
        return bitmap
    }

    private fun everyScreen(suffix: String) {
        open("classification")
        type("play the new song by miley cyrus")
        draw("classify$suffix")
        choose(R.id.tab_benchmark)
        find<Button>(R.id.benchmark_run).performClick()
        idle()
        draw("benchmark$suffix")
        choose(R.id.tab_model)
        draw("model$suffix")
    }

    @Test
    fun light() = everyScreen("-light")

    @Test
    fun dark() {
        RuntimeEnvironment.setQualifiers("+night")
        everyScreen("-dark")
        val background = draw("background-dark").getPixel(2, activity.window.decorView.height / 2)
        assertTrue("the dark screen is bright", android.graphics.Color.luminance(background) < 0.1)
    }

    @Test
    fun large_font() {
        RuntimeEnvironment.setFontScale(2f)
        everyScreen("-large")
        choose(R.id.tab_classify)
        for (id in listOf(R.id.run, R.id.example, R.id.tab_classify, R.id.tab_benchmark, R.id.tab_model)) {
            val view = find<TextView>(id)
            val layout = view.layout
            assertTrue("“${view.text}” is cut", layout.height <= view.height)
            val ends = (0 until layout.lineCount - 1).map { view.text[layout.getLineEnd(it) - 1] }
            assertTrue("“${view.text}” is broken inside a word", ends.all { it == ' ' })
        }
    }

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
