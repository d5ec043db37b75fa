package org.pocketticket.demo.ui

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.pocketticket.demo.R
import org.pocketticket.demo.session.ModelState
import org.pocketticket.textmodel.bundle.Manifest
import org.pocketticket.textmodel.bundle.ReportNumbers
import org.pocketticket.textmodel.engine.SelfTest

/** What this model is, what the report says about it, and whether it answers here as where it was made. */
class ModelScreen(private val root: View) {
    private val rows: ViewGroup = root.findViewById(R.id.model_rows)
    private val message: TextView = root.findViewById(R.id.model_message)
    private val ticket: View = root.findViewById(R.id.ticket)
    private val numbers: ViewGroup = root.findViewById(R.id.ticket_numbers)
    private val texts = root.resources

    init {
        val context = root.context
        val stub: View = root.findViewById(R.id.ticket_stub)
        val dp = texts.displayMetrics.density
        ticket.background = TicketDrawable(
            context.getColor(R.color.surface), context.getColor(R.color.accent), context.getColor(R.color.outline), dp,
        ) { stub.top - (20 * dp).toInt() }
    }

    fun show(state: ModelState) {
        message.showOrHide(state.message)
        rows.removeAllViews()
        rows.visibility = if (state.manifest == null && state.selfTest == null) View.GONE else View.VISIBLE
        ticket.visibility = if (state.manifest == null) View.GONE else View.VISIBLE
        state.manifest?.let(::showTicket)
        state.selfTest?.let { row(R.string.self_test, selfTest(it)) }
        state.manifest?.let(::describe)
    }

    /** What the ticket is worth, in at most three numbers. */
    private fun showTicket(manifest: Manifest) {
        root.findViewById<TextView>(R.id.ticket_name).text = manifest.name
        numbers.removeAllViews()
        val report = manifest.report
        report.sizeRatio?.let { number(texts.getString(R.string.times, it), texts.getString(R.string.smaller)) }
        report.speedRatio.entries.firstOrNull()?.let { (tokens, ratio) ->
            number(texts.getString(R.string.times, ratio), texts.getString(R.string.faster, tokens))
        }
        report.metric?.let { number(texts.getString(R.string.metric_short, it), manifest.task.metric.replace('_', ' ')) }
    }

    private fun number(value: String, label: String) {
        val view = LayoutInflater.from(root.context).inflate(R.layout.item_number, numbers, false)
        view.findViewById<TextView>(R.id.number).text = value
        view.findViewById<TextView>(R.id.number_label).text = label
        numbers.addView(view)
    }

    private fun describe(manifest: Manifest) {
        row(R.string.model_name, manifest.name)
        row(R.string.task, texts.getString(R.string.task_and_kind, manifest.task.name, manifest.task.kind.key))
        metric(manifest)?.let { row(R.string.metric, it) }
        row(R.string.size, size(manifest))
        speed(manifest.report)?.let { row(R.string.speed, it) }
        row(R.string.limits, texts.getString(R.string.limits_text, manifest.model.maxTokens, manifest.task.labels.size))
        row(R.string.hash, manifest.model.sha256)
        for (licence in manifest.licences) row(R.string.licence, "${licence.name}: ${licence.licence}")
    }

    private fun selfTest(test: SelfTest): String = test.failure
        ?: texts.getQuantityString(R.plurals.self_test_passed, test.examples, test.examples, test.worstDifference)

    private fun metric(manifest: Manifest): String? {
        val report = manifest.report
        val value = report.metric ?: return null
        val parts = mutableListOf(texts.getString(R.string.metric_value, manifest.task.metric, value))
        report.interval?.let { (low, high) -> parts += texts.getString(R.string.metric_interval, low, high) }
        report.denseMetric?.let { parts += texts.getString(R.string.metric_dense, it) }
        return parts.joinToString("\n")
    }

    private fun size(manifest: Manifest): String {
        val size = texts.getString(R.string.megabytes, manifest.model.bytes / 1e6)
        return manifest.report.sizeRatio?.let { "$size\n${texts.getString(R.string.times_smaller, it)}" } ?: size
    }

    private fun speed(report: ReportNumbers): String? = report.speedRatio.entries
        .joinToString("\n") { (tokens, ratio) -> texts.getString(R.string.times_faster, ratio, tokens) }
        .ifEmpty { null }

    private fun row(name: Int, value: String) {
        val row = LayoutInflater.from(root.context).inflate(R.layout.item_row, rows, false)
        row.findViewById<TextView>(R.id.row_name).setText(name)
        row.findViewById<TextView>(R.id.row_value).text = value
        rows.addView(row)
    }
}
