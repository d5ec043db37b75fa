package org.pocketticket.demo.ui

import android.graphics.Typeface
import android.text.SpannableString
import android.text.Spanned
import android.text.style.BackgroundColorSpan
import android.text.style.StyleSpan
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.ProgressBar
import android.widget.TextView
import kotlin.math.roundToInt
import org.pocketticket.demo.R
import org.pocketticket.textmodel.engine.Answer
import org.pocketticket.textmodel.engine.Entity
import org.pocketticket.textmodel.engine.LabelNames

/** Turns an answer into views: bars for labels and values, highlighted text for entities and passages. */
class AnswerViews(private val parent: ViewGroup) {
    private val inflater = LayoutInflater.from(parent.context)
    private val resources = parent.resources

    fun add(answer: Answer) = when (answer) {
        is Answer.Classes -> addClasses(answer)
        is Answer.Labels -> addLabels(answer)
        is Answer.Value -> addBar(
            resources.getString(R.string.value), resources.getString(R.string.number, answer.value), answer.fraction,
        )
        is Answer.Entities -> addEntities(answer)
        is Answer.Passage -> addPassage(answer)
        is Answer.Vector -> addText(answer.numbers.take(SHOWN).joinToString(" ") { resources.getString(R.string.number, it) })
    }

    private fun addClasses(answer: Answer.Classes) {
        answer.scores.take(MOST_BARS).forEach { addBar(LabelNames.readable(it.label), percent(it.probability), it.probability) }
        val rest = answer.scores.drop(MOST_BARS)
        if (rest.isNotEmpty()) {
            val share = percent(rest.map { it.probability }.sum())
            addText(resources.getQuantityString(R.plurals.other_labels, rest.size, rest.size, share))
        }
    }

    /** The labels of the text, then the most probable of the others; the bars are independent of each other. */
    private fun addLabels(answer: Answer.Labels) {
        answer.chosen.forEach { addBar(LabelNames.readable(it.label), percent(it.probability), it.probability) }
        val others = answer.others.take((MOST_BARS - answer.chosen.size).coerceAtLeast(0))
        if (others.isEmpty()) return
        addText(resources.getString(R.string.below_threshold))
        others.forEach { addBar(LabelNames.readable(it.label), percent(it.probability), it.probability) }
    }

    private fun addEntities(answer: Answer.Entities) {
        if (answer.entities.isEmpty()) return
        addText(highlighted(answer.text, answer.entities))
        for (entity in answer.entities) {
            val words = resources.getString(R.string.entity, answer.text.substring(entity.start, entity.end), LabelNames.readable(entity.label))
            addBar(words, percent(entity.probability), entity.probability)
        }
    }

    private fun addPassage(answer: Answer.Passage) {
        val span = answer.span ?: return
        addBar(answer.text.substring(span.start, span.end), percent(span.probability), span.probability)
        addText(highlighted(answer.text, listOf(span)))
    }

    private fun highlighted(text: String, entities: List<Entity>): CharSequence = SpannableString(text).apply {
        val color = parent.context.getColor(R.color.highlight)
        for (entity in entities) {
            setSpan(BackgroundColorSpan(color), entity.start, entity.end, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
            setSpan(StyleSpan(Typeface.BOLD), entity.start, entity.end, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        }
    }

    private fun addText(text: CharSequence) {
        val view = inflater.inflate(R.layout.item_text, parent, false) as TextView
        view.text = text
        parent.addView(view)
    }

    /** One row that TalkBack reads as one sentence: "label, 93 %". */
    private fun addBar(label: String, amount: String, fraction: Float?) {
        val row = inflater.inflate(R.layout.item_bar, parent, false)
        row.findViewById<TextView>(R.id.bar_label).text = label
        row.findViewById<TextView>(R.id.bar_amount).text = amount
        val bar = row.findViewById<ProgressBar>(R.id.bar)
        bar.visibility = if (fraction == null) View.GONE else View.VISIBLE
        bar.progress = ((fraction ?: 0f) * bar.max).roundToInt()
        row.contentDescription = resources.getString(R.string.label_and_amount, label, amount)
        parent.addView(row)
    }

    private fun percent(share: Float): String = resources.getString(R.string.percent, share * 100)

    private companion object {
        const val MOST_BARS = 5
        const val SHOWN = 8 // numbers of a vector
    }
}
