package org.pocketticket.demo.ui

import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import org.pocketticket.demo.R
import org.pocketticket.demo.session.ClassifyState
import org.pocketticket.demo.session.Phase
import org.pocketticket.demo.session.Session
import org.pocketticket.textmodel.bundle.Kind

/** Type a text, see what the model says. */
class ClassifyScreen(root: View, private val session: Session) {
    private val labelA: TextView = root.findViewById(R.id.label_a)
    private val labelB: TextView = root.findViewById(R.id.label_b)
    private val textA: EditText = root.findViewById(R.id.text_a)
    private val textB: EditText = root.findViewById(R.id.text_b)
    private val run: Button = root.findViewById(R.id.run)
    private val example: Button = root.findViewById(R.id.example)
    private val title: TextView = root.findViewById(R.id.task_title)
    private val message: TextView = root.findViewById(R.id.message)
    private val details: TextView = root.findViewById(R.id.details)
    private val notice: TextView = root.findViewById(R.id.notice)
    private val answer: ViewGroup = root.findViewById(R.id.answer)
    private var shown: Any? = null

    init {
        run.setOnClickListener { ask() }
        example.setOnClickListener { tryExample() }
        for (field in listOf(textA, textB)) {
            field.setOnEditorActionListener { _, action, _ -> (action == EditorInfo.IME_ACTION_DONE && run.isEnabled).also { if (it) ask() } }
        }
    }

    private fun pair(): Boolean = session.classify.value.manifest?.task?.kind?.pair == true

    private fun ask() = session.ask(textA.text.toString(), if (pair()) textB.text.toString() else null)

    private fun tryExample() {
        val (a, b) = session.example() ?: return
        textA.setText(a)
        textB.setText(b.orEmpty())
        ask()
    }

    fun show(state: ClassifyState) {
        val kind = state.manifest?.task?.kind
        val untold = if (state.phase == Phase.LOADING) R.string.loading else R.string.app_name
        title.text = state.manifest?.task?.name ?: title.resources.getString(untold)
        labelA.setText(
            when {
                kind == Kind.QA -> R.string.question
                kind?.pair == true -> R.string.first_text
                else -> R.string.text
            },
        )
        labelB.setText(if (kind == Kind.QA) R.string.passage else R.string.second_text)
        for (view in listOf(labelB, textB)) view.visibility = if (kind?.pair == true) View.VISIBLE else View.GONE
        val able = state.phase == Phase.READY || state.phase == Phase.RUNNING
        run.isEnabled = able
        example.isEnabled = able
        message.showOrHide(state.message)
        showInference(state)
    }

    private fun showInference(state: ClassifyState) {
        val inference = state.inference
        val resources = details.resources
        details.showOrHide(
            inference?.let {
                val tokens = resources.getQuantityString(R.plurals.tokens, it.tokens, it.tokens)
                resources.getString(R.string.latency_and_tokens, it.milliseconds, tokens)
            },
        )
        notice.showOrHide(
            inference?.dropped?.takeIf { it > 0 }?.let {
                resources.getQuantityString(R.plurals.truncated, it, it, state.manifest?.model?.maxTokens)
            },
        )
        if (inference !== shown) {
            answer.removeAllViews()
            inference?.let { AnswerViews(answer).add(it.answer) }
            shown = inference
        }
    }
}

/** Shows a sentence, or takes no room. */
internal fun TextView.showOrHide(sentence: String?) {
    visibility = if (sentence == null) View.GONE else View.VISIBLE
    if (sentence != null && text.toString() != sentence) text = sentence
}
