package org.pocketticket.demo.ui

import android.content.Context
import android.text.Editable
import android.text.InputFilter
import android.text.InputType
import android.text.TextWatcher
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.view.inputmethod.InputMethodManager
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import org.pocketticket.demo.R
import org.pocketticket.demo.session.ClassifyState
import org.pocketticket.demo.session.Phase
import org.pocketticket.demo.session.Session
import org.pocketticket.textmodel.bundle.Example
import org.pocketticket.textmodel.bundle.Kind

/** Type a text, or choose an example, and see what the model says while you type. */
class ClassifyScreen(root: View, private val session: Session) {
    private val labelA: TextView = root.findViewById(R.id.label_a)
    private val labelB: TextView = root.findViewById(R.id.label_b)
    private val textA: EditText = root.findViewById(R.id.text_a)
    private val textB: EditText = root.findViewById(R.id.text_b)
    private val examples: ViewGroup = root.findViewById(R.id.examples)
    private val title: TextView = root.findViewById(R.id.task_title)
    private val message: TextView = root.findViewById(R.id.message)
    private val retry: Button = root.findViewById(R.id.retry)
    private val idle: View = root.findViewById(R.id.idle)
    private val card = AnswerCard(root)
    private var offered: List<Example>? = null
    private val ask = Runnable { session.ask(textA.text.toString(), if (pair()) textB.text.toString() else null) }

    init {
        retry.setOnClickListener { session.start(again = true) }
        for (field in listOf(textA, textB)) prepare(field)
    }

    private fun prepare(field: EditText) {
        field.filters = arrayOf(InputFilter.LengthFilter(MOST_CHARS))
        // several lines on the screen, but for the keyboard one: it offers Done instead of a line break
        field.setRawInputType(InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_CAP_SENTENCES)
        field.setOnEditorActionListener { _, action, _ -> (action == EditorInfo.IME_ACTION_DONE).also { if (it) done(field) } }
        (field.getTag(R.id.text_a) as? TextWatcher)?.let(field::removeTextChangedListener)
        val watcher = Later { field.removeCallbacks(ask); field.postDelayed(ask, PAUSE_MS) }
        field.addTextChangedListener(watcher)
        field.setTag(R.id.text_a, watcher)
    }

    private fun done(field: EditText) {
        val keyboard = field.context.getSystemService(Context.INPUT_METHOD_SERVICE) as InputMethodManager
        keyboard.hideSoftInputFromWindow(field.windowToken, 0)
        field.clearFocus()
        field.removeCallbacks(ask)
        ask.run()
    }

    private fun pair(): Boolean = session.classify.value.manifest?.task?.kind?.pair == true

    /** Takes a text that another app has shared. */
    fun receive(text: String) = textA.setText(text.take(MOST_CHARS))

    fun show(state: ClassifyState) {
        val kind = state.manifest?.task?.kind
        val unnamed = if (state.phase == Phase.LOADING) R.string.loading else R.string.app_name
        title.text = state.manifest?.task?.name?.replace('_', ' ') ?: title.resources.getString(unnamed)
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
        for (view in listOf(textA, textB)) view.isEnabled = state.phase != Phase.DISABLED
        message.showOrHide(state.message)
        retry.visibility = if (state.phase == Phase.DISABLED) View.VISIBLE else View.GONE
        offer(state.examples)
        card.show(state, expected())
        idle.visibility = if (able && state.inference == null && state.message == null) View.VISIBLE else View.GONE
        if (able && state.inference == null && state.phase == Phase.READY && textA.text.isNotBlank() && state.message == null) {
            textA.removeCallbacks(ask) // typed or received while the model was loading
            textA.post(ask)
        }
    }

    /** The example that stands in the fields, if it is one. */
    private fun expected(): Example? {
        val (a, b) = textA.text.toString() to textB.text.toString()
        return session.classify.value.examples.find { it.textA == a && it.textB.orEmpty() == b }
    }

    private fun offer(all: List<Example>) {
        if (all == offered) return
        offered = all
        examples.removeAllViews()
        val inflater = LayoutInflater.from(examples.context)
        for (example in all) {
            val chip = inflater.inflate(R.layout.item_chip, examples, false) as Button
            chip.text = example.textA
            chip.contentDescription = chip.resources.getString(R.string.example_spoken, example.textA)
            chip.setOnClickListener {
                textB.setText(example.textB.orEmpty())
                textA.setText(example.textA)
                done(textA)
            }
            examples.addView(chip)
        }
    }

    private class Later(private val changed: () -> Unit) : TextWatcher {
        override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

        override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

        override fun afterTextChanged(text: Editable?) = changed()
    }

    companion object {
        /** More than any program reads, and few enough for a phone to keep and to tokenize at every pause. */
        const val MOST_CHARS = 10_000
        const val PAUSE_MS = 150L
    }
}

/** Shows a sentence, or takes no room. */
internal fun TextView.showOrHide(sentence: CharSequence?) {
    visibility = if (sentence == null) View.GONE else View.VISIBLE
    if (sentence != null && text.toString() != sentence.toString()) text = sentence
}
