package org.pocketticket.demo.ui

import android.content.Intent
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import kotlin.math.roundToInt
import org.pocketticket.demo.R
import org.pocketticket.demo.bench.BenchmarkResult
import org.pocketticket.demo.session.BenchmarkState
import org.pocketticket.demo.session.Phase
import org.pocketticket.demo.session.Session

/** How long the model takes on this phone. */
class BenchmarkScreen(private val root: View, private val session: Session) {
    private val run: Button = root.findViewById(R.id.benchmark_run)
    private val share: Button = root.findViewById(R.id.benchmark_share)
    private val progress: ProgressBar = root.findViewById(R.id.benchmark_progress)
    private val message: TextView = root.findViewById(R.id.benchmark_message)
    private val card: View = root.findViewById(R.id.benchmark_card)
    private val table: ViewGroup = root.findViewById(R.id.benchmark_table)
    private val notes: TextView = root.findViewById(R.id.benchmark_notes)

    init {
        run.setOnClickListener {
            if (session.benchmark.value.phase == Phase.RUNNING) session.cancelMeasurement() else session.measure()
        }
        share.setOnClickListener { session.benchmark.value.result?.let(::share) }
    }

    fun show(state: BenchmarkState) {
        val running = state.phase == Phase.RUNNING
        run.isEnabled = running || state.phase == Phase.READY
        run.setText(if (running) R.string.cancel else R.string.measure)
        share.isEnabled = state.result != null
        progress.visibility = if (running) View.VISIBLE else View.GONE
        progress.progress = (state.progress * progress.max).roundToInt()
        message.showOrHide(state.message)
        card.visibility = if (state.result == null) View.GONE else View.VISIBLE
        table.removeAllViews()
        state.result?.let(::showTimings)
        notes.showOrHide(state.result?.let(::conditions))
    }

    private fun showTimings(result: BenchmarkResult) {
        val texts = root.resources
        val inflater = LayoutInflater.from(root.context)
        fun row(first: String, second: String, third: String, spoken: String) {
            val row = inflater.inflate(R.layout.item_timing, table, false)
            row.findViewById<TextView>(R.id.timing_tokens).text = first
            row.findViewById<TextView>(R.id.timing_median).text = second
            row.findViewById<TextView>(R.id.timing_p90).text = third
            row.contentDescription = spoken
            table.addView(row)
        }
        row(texts.getString(R.string.length), texts.getString(R.string.median), texts.getString(R.string.p90), texts.getString(R.string.timing_head))
        for (t in result.timings) {
            val tokens = texts.getQuantityString(R.plurals.tokens, t.tokens, t.tokens)
            val median = texts.getString(R.string.milliseconds, t.median)
            val p90 = texts.getString(R.string.milliseconds, t.p90)
            row(tokens, median, p90, texts.getString(R.string.timing_spoken, tokens, median, p90))
        }
    }

    private fun conditions(result: BenchmarkResult): String {
        val texts = root.resources
        val threads = texts.getQuantityString(R.plurals.threads, result.threads, result.threads)
        val ran = texts.getString(R.string.conditions, result.runs, result.warmUp, threads)
        val unknown = texts.getString(R.string.unknown)
        val heat = texts.getString(R.string.thermal, result.before.thermal ?: unknown, result.after.thermal ?: unknown)
        val saving = texts.getString(R.string.power_save).takeIf { result.before.powerSave || result.after.powerSave }
        val device = "${result.device.maker} ${result.device.model}, Android ${result.device.android}"
        return listOfNotNull(ran, heat, saving, device).joinToString("\n")
    }

    private fun share(result: BenchmarkResult) {
        // text, because a text is what it carries: an app that takes JSON files would look for a file
        val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, result.toJson())
        root.context.startActivity(Intent.createChooser(send, root.resources.getString(R.string.share)))
    }
}
