package org.pocketticket.demo.ui

import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.pocketticket.demo.R
import org.pocketticket.demo.session.ClassifyState
import org.pocketticket.demo.session.Phase
import org.pocketticket.textmodel.bundle.Example
import org.pocketticket.textmodel.bundle.Task
import org.pocketticket.textmodel.engine.Answer
import org.pocketticket.textmodel.engine.LabelNames

/** The answer in one line, what speaks for it, and what it cost. Faint while a newer answer is being computed. */
class AnswerCard(root: View) {
    private val card: View = root.findViewById(R.id.card)
    private val headline: TextView = root.findViewById(R.id.headline)
    private val expected: TextView = root.findViewById(R.id.expected)
    private val details: TextView = root.findViewById(R.id.details)
    private val notice: TextView = root.findViewById(R.id.notice)
    private val answer: ViewGroup = root.findViewById(R.id.answer)
    private val texts = root.resources
    private var shown: Any? = null

    fun show(state: ClassifyState, example: Example?) {
        val inference = state.inference
        card.visibility = if (inference == null) View.GONE else View.VISIBLE
        card.alpha = if (state.phase == Phase.RUNNING) FAINT else 1f
        if (inference == null || inference === shown) {
            if (inference == null) shown = null
            return
        }
        shown = inference
        val task = checkNotNull(state.manifest).task
        headline.showOrHide(headline(inference.answer, task))
        expected.showOrHide(expected(inference.answer, example))
        answer.removeAllViews()
        AnswerViews(answer).add(inference.answer)
        val tokens = texts.getQuantityString(R.plurals.tokens, inference.tokens, inference.tokens)
        details.showOrHide(texts.getString(R.string.latency_and_tokens, inference.milliseconds, tokens))
        notice.showOrHide(notice(inference.answer, task, inference.dropped, state.manifest.model.maxTokens))
    }

    private fun headline(answer: Answer, task: Task): String = when (answer) {
        is Answer.Classes -> if (sure(answer, task)) LabelNames.readable(answer.scores[0].label) else texts.getString(R.string.not_sure)
        is Answer.Labels -> answer.chosen.joinToString(", ") { LabelNames.readable(it.label) }
            .ifEmpty { texts.getString(R.string.no_label) }
        is Answer.Vector -> texts.getString(R.string.numbers_of_vector, answer.numbers.size)
        is Answer.Value -> texts.getString(R.string.number, answer.value)
        is Answer.Entities -> if (answer.entities.isEmpty()) texts.getString(R.string.no_entities) else
            texts.getString(R.string.entities_found, answer.entities.size)
        is Answer.Passage -> answer.span?.let { answer.text.substring(it.start, it.end) }
            ?: texts.getString(if (answer.text.isBlank()) R.string.empty_passage else R.string.no_answer)
    }

    private fun sure(answer: Answer.Classes, task: Task): Boolean = answer.scores[0].probability >= (task.notSureBelow ?: 0.0)

    private fun expected(answer: Answer, example: Example?): String? {
        val label = example?.label ?: return null
        val found = when (answer) {
            is Answer.Classes -> answer.scores[0].label == label
            is Answer.Labels -> answer.chosen.any { it.label == label }
            else -> return null
        }
        return if (found) texts.getString(R.string.expected_same) else
            texts.getString(R.string.expected_other, LabelNames.readable(label))
    }

    private fun notice(answer: Answer, task: Task, dropped: Int, most: Int): String? {
        val parts = mutableListOf<String>()
        if (answer is Answer.Classes && !sure(answer, task)) {
            val (best, least) = answer.scores[0] to checkNotNull(task.notSureBelow)
            fun percent(share: Double) = texts.getString(R.string.percent, share * 100)
            parts += texts.getString(
                R.string.closest, LabelNames.readable(best.label), percent(best.probability.toDouble()), percent(least),
            )
        }
        if (dropped > 0) parts += texts.getQuantityString(R.plurals.truncated, dropped, dropped, most)
        return parts.joinToString("\n").ifEmpty { null }
    }

    private companion object {
        const val FAINT = 0.45f
    }
}
