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
    private val texts = root.resources

    fun show(state: ModelState) {
        message.showOrHide(state.message)
        rows.removeAllViews()
        state.selfTest?.let { row(R.string.self_test, selfTest(it)) }
        state.manifest?.let(::describe)
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
