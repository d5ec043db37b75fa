package org.pocketticket.demo

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.WindowManager
import android.widget.RadioGroup
import org.pocketticket.demo.bench.BenchmarkLog
import org.pocketticket.demo.session.Phase
import org.pocketticket.demo.session.Session
import org.pocketticket.demo.ui.BackToFirst
import org.pocketticket.demo.ui.BenchmarkScreen
import org.pocketticket.demo.ui.ClassifyScreen
import org.pocketticket.demo.ui.Edges
import org.pocketticket.demo.ui.ModelScreen

/** Three screens and the row of tabs that chooses one. Holds no state of its own but what Android saves for its views. */
class MainActivity : Activity() {
    private val session: Session by lazy { (application as DemoApp).session }
    private val tabs: RadioGroup by lazy { findViewById(R.id.tabs) }
    private val back = BackToFirst(this) { tabs.check(R.id.tab_classify) }
    private var watching = listOf<() -> Unit>()
    private var received: String? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.activity_main)
        Edges(this, findViewById(R.id.root), findViewById(R.id.screens), tabs)
        tabs.setOnCheckedChangeListener { _, _ -> show() }
        show()
        if (savedInstanceState == null) obey(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        obey(intent)
        if (watching.isNotEmpty()) watch()
    }

    override fun onStart() {
        super.onStart()
        watch()
    }

    private fun watch() {
        watching.forEach { it() }
        val classify = ClassifyScreen(findViewById(R.id.screen_classify), session)
        val benchmark = BenchmarkScreen(findViewById(R.id.screen_benchmark), session)
        val model = ModelScreen(findViewById(R.id.screen_model))
        received?.let(classify::receive)
        received = null
        watching = listOf(
            session.classify.watch { classify.show(it) },
            session.benchmark.watch { benchmark.show(it); keepAwake(it.phase == Phase.RUNNING) },
            session.model.watch { model.show(it) },
        )
    }

    override fun onStop() {
        watching.forEach { it() }
        watching = emptyList()
        // behind another app, or with the screen off, a phone computes more slowly
        if (!isChangingConfigurations) session.cancelMeasurement(getString(R.string.left_the_app))
        super.onStop()
    }

    /** Before Android 13; newer ones call what BackToFirst has registered. */
    @Deprecated("For older Androids")
    @Suppress("DEPRECATION")
    override fun onBackPressed() {
        if (tabs.checkedRadioButtonId == R.id.tab_classify) super.onBackPressed() else tabs.check(R.id.tab_classify)
    }

    private fun show() {
        val checked = tabs.checkedRadioButtonId
        for ((tab, screen) in SCREENS) findViewById<View>(screen).visibility = if (tab == checked) View.VISIBLE else View.GONE
        back.away(checked != R.id.tab_classify)
    }

    private fun keepAwake(awake: Boolean) =
        if (awake) window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        else window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)

    /**
     * A text that another app shares, or, through the alias that only adb's shell may open, `--es benchmark NAME [--ei runs N]`:
     * measures and writes the result to the log under that name.
     */
    private fun obey(intent: Intent) {
        val shared = intent.getCharSequenceExtra(Intent.EXTRA_TEXT) ?: intent.getCharSequenceExtra(Intent.EXTRA_PROCESS_TEXT)
        if (intent.action in setOf(Intent.ACTION_SEND, Intent.ACTION_PROCESS_TEXT) && shared != null) {
            received = shared.toString()
            tabs.check(R.id.tab_classify)
        }
        val name = intent.getStringExtra("benchmark")
        if (name == null || intent.component?.className != MEASURE) return
        tabs.check(R.id.tab_benchmark)
        val runs = intent.getIntExtra("runs", Session.RUNS).coerceIn(1, MOST_RUNS)
        session.measure(runs) { result -> BenchmarkLog.write(name, result) }
    }

    private companion object {
        const val MEASURE = "org.pocketticket.demo.Measure"
        const val MOST_RUNS = 1_000
        val SCREENS = mapOf(
            R.id.tab_classify to R.id.screen_classify,
            R.id.tab_benchmark to R.id.screen_benchmark,
            R.id.tab_model to R.id.screen_model,
        )
    }
}
