package org.pocketticket.demo.ui

import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.RadioButton
import android.widget.TextView
import java.io.File
import java.time.Duration
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.pocketticket.demo.DemoApp
import org.pocketticket.demo.MainActivity
import org.pocketticket.demo.R
import org.pocketticket.demo.session.Session
import org.pocketticket.demo.TestSessions
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.bundle.BundleFiles
import org.pocketticket.textmodel.engine.Answer
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The app with a bundle that the test chooses; all work happens at once. */
class ScreensApp : DemoApp() {
    override fun createSession(): Session = TestSessions.of(bundle)

    companion object {
        var bundle: BundleFiles = TestBundles.nothing
    }
}

/** What a person does on the screens, and looks at. */
abstract class ScreenActions(protected val kind: String, private val text: String) {
    protected var controller: ActivityController<MainActivity>? = null
    protected val activity: MainActivity get() = controller!!.get()
    protected val session: Session get() = (activity.application as DemoApp).session

    protected fun open(kind: String?, intent: Intent = Intent()) =
        open(kind?.let { TestBundles.files(it) } ?: TestBundles.nothing, intent)

    protected fun open(files: BundleFiles, intent: Intent = Intent()) {
        ScreensApp.bundle = files
        controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        idle()
    }

    protected fun idle() = shadowOf(Looper.getMainLooper()).idle()

    protected fun <T : View> find(id: Int): T = activity.findViewById(id)

    protected fun type(a: String, b: String? = null) {
        find<EditText>(R.id.text_a).setText(a)
        b?.let { find<EditText>(R.id.text_b).setText(it) }
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(2 * ClassifyScreen.PAUSE_MS))
    }

    protected fun answer(): Answer = session.classify.value.let { checkNotNull(it.inference) { it.message ?: "no answer yet" }.answer }

    protected fun choose(tab: Int) {
        find<RadioButton>(tab).performClick()
        idle()
    }

    /** Every text that can be seen, from top to bottom. */
    protected fun texts(view: View = activity.window.decorView): List<String> = when {
        view.visibility != View.VISIBLE -> emptyList()
        view is TextView -> listOf(view.text.toString())
        view is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        else -> emptyList()
    }

    protected fun assertShown(vararg expected: String) {
        val shown = texts()
        for (text in expected) assertTrue("“$text” is not among $shown", shown.any { text in it })
    }

    protected fun draw(name: String): Bitmap {
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

    protected fun everyScreen(suffix: String) {
        open(kind)
        type(text)
        draw("classify$suffix")
        choose(R.id.tab_benchmark)
        find<Button>(R.id.benchmark_run).performClick()
        idle()
        draw("benchmark$suffix")
        choose(R.id.tab_model)
        draw("model$suffix")
    }

}

/** The real screens with the real resources and the real runtime, drawn in every look: light, dark and large. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [36], application = ScreensApp::class, qualifiers = "en-rUS-w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
abstract class Screens(kind: String, text: String) : ScreenActions(kind, text) {
    @Test
    fun light() = everyScreen("-light")

    @Test
    fun dark() {
        RuntimeEnvironment.setQualifiers("+night")
        everyScreen("-dark")
        val background = draw("background-dark").getPixel(2, activity.window.decorView.height / 2)
        assertTrue("the dark screen is bright", Color.luminance(background) < 0.1)
    }

    @Test
    fun large_font() {
        RuntimeEnvironment.setFontScale(2f)
        everyScreen("-large")
        for (id in listOf(R.id.benchmark_run, R.id.benchmark_share, R.id.tab_classify, R.id.tab_benchmark, R.id.tab_model)) {
            choose(if (id in setOf(R.id.benchmark_run, R.id.benchmark_share)) R.id.tab_benchmark else R.id.tab_classify)
            val view = find<TextView>(id)
            val layout = view.layout
            assertTrue("“${view.text}” is cut", layout.height <= view.height)
            val ends = (0 until layout.lineCount - 1).map { view.text[layout.getLineEnd(it) - 1] }
            assertTrue("“${view.text}” is broken inside a word", ends.all { it == ' ' })
        }
    }
}
