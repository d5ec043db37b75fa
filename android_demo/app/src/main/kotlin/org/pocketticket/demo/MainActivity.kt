package org.pocketticket.demo

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.RadioGroup
import org.pocketticket.demo.bench.BenchmarkLog
import org.pocketticket.demo.session.Session
import org.pocketticket.demo.ui.BenchmarkScreen
import org.pocketticket.demo.ui.ClassifyScreen
import org.pocketticket.demo.ui.ModelScreen

/** Three screens and the row of tabs that chooses one. Holds no state of its own but what Android saves for its views. */
class MainActivity : Activity() {
    private val session: Session by lazy { (application as DemoApp).session }
    private var watching = listOf<() -> Unit>()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.activity_main)
        val screens = mapOf(
            R.id.tab_classify to findViewById<View>(R.id.screen_classify),
            R.id.tab_benchmark to findViewById(R.id.screen_benchmark),
            R.id.tab_model to findViewById(R.id.screen_model),
        )
        findViewById<RadioGroup>(R.id.tabs).setOnCheckedChangeListener { _, checked -> show(screens, checked) }
        show(screens, findViewById<RadioGroup>(R.id.tabs).checkedRadioButtonId)
        if (savedInstanceState == null) obey(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        obey(intent)
    }

    override fun onStart() {
        super.onStart()
        val classify = ClassifyScreen(findViewById(R.id.screen_classify), session)
        val benchmark = BenchmarkScreen(findViewById(R.id.screen_benchmark), session)
        val model = ModelScreen(findViewById(R.id.screen_model))
        watching = listOf(
            session.classify.watch { classify.show(it) },
            session.benchmark.watch { benchmark.show(it) },
            session.model.watch { model.show(it) },
        )
    }

    override fun onStop() {
        watching.forEach { it() }
        watching = emptyList()
        super.onStop()
    }

    private fun show(screens: Map<Int, View>, checked: Int) =
        screens.forEach { (tab, screen) -> screen.visibility = if (tab == checked) View.VISIBLE else View.GONE }

    /** `am start … --es benchmark NAME [--ei runs N]`: measures and writes the result to the log under that name. */
    private fun obey(intent: Intent) {
        val name = intent.getStringExtra("benchmark") ?: return
        findViewById<RadioGroup>(R.id.tabs).check(R.id.tab_benchmark)
        val runs = intent.getIntExtra("runs", Session.RUNS).coerceIn(1, MOST_RUNS)
        session.measure(runs) { result -> BenchmarkLog.write(name, result) }
    }

    private companion object {
        const val MOST_RUNS = 10_000
    }
}
