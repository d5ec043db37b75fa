package org.pocketticket.textmodel.engine

import org.junit.Assert.assertEquals
import org.junit.Test
import org.pocketticket.textmodel.bundle.Kind
import org.pocketticket.textmodel.bundle.Range
import org.pocketticket.textmodel.bundle.Task
import org.pocketticket.textmodel.text.Encoding
import org.pocketticket.textmodel.text.Token

class DecoderTest {
    private val labels = listOf("O", "B-per", "I-per", "I-loc")

    /** One token for each word of a text, [CLS] before and [SEP] after; `sequence` 0 or 1. */
    private fun encoding(text: String, sequence: Int = 0): Encoding {
        val words = Regex("\\S+").findAll(text).mapIndexed { i, m -> Token(i, sequence, m.range.first, m.range.last + 1, i) }
        val tokens = listOf(Token(101, -1, 0, 0, -1)) + words + Token(102, -1, 0, 0, -1)
        return Encoding(tokens, LongArray(tokens.size), 0)
    }

    private fun entities(text: String, vararg tags: String): List<Triple<String, String, Float>> {
        val rows = listOf("O", *tags, "O").flatMap { tag -> labels.map { if (it == tag) 9f else 0f } }
        val task = Task("t", Kind.TOKENS, labels, "f1", null)
        val answer = Decoder(task).decode(listOf(rows.toFloatArray()), encoding(text), text, null) as Answer.Entities
        return answer.entities.map { Triple(text.substring(it.start, it.end), it.label, it.probability) }
    }

    @Test
    fun tags_become_spans() {
        val found = entities("Ada Lovelace met Bob in London Bridge", "B-per", "I-per", "O", "B-per", "O", "I-loc", "I-loc")
        assertEquals(
            listOf("Ada Lovelace" to "per", "Bob" to "per", "London Bridge" to "loc"),
            found.map { it.first to it.second },
        )
    }

    @Test
    fun neighbors_of_one_type_stay_apart_and_another_type_begins_anew() {
        assertEquals(listOf("Ada", "Bob"), entities("Ada Bob", "B-per", "B-per").map { it.first })
        assertEquals(listOf("per", "loc"), entities("Ada Rome", "B-per", "I-loc").map { it.second })
        assertEquals(emptyList<Any>(), entities("nothing here", "O", "O"))
    }

    @Test
    fun classes_are_sorted_and_huge_logits_are_no_problem() {
        val task = Task("t", Kind.CLASSIFICATION, listOf("a", "b", "c"), "accuracy", null)
        val answer = Decoder(task).decode(listOf(floatArrayOf(1000f, 1001f, -1000f)), encoding(""), "", null)
        val scores = (answer as Answer.Classes).scores
        assertEquals(listOf("b", "a", "c"), scores.map { it.label })
        assertEquals(0.7310586f, scores[0].probability, 1e-6f)
        assertEquals(1f, scores.map { it.probability }.sum(), 1e-6f)
    }

    @Test
    fun labels_are_independent_and_a_text_may_have_none() {
        val task = Task("t", Kind.MULTILABEL, listOf("a", "b", "c"), "", null, thresholds = listOf(0.5, 0.9, 0.2))
        fun answer(vararg logits: Float) =
            Decoder(task).decode(listOf(logits), encoding(""), "", null) as Answer.Labels
        val found = answer(0f, 1f, -1f) // 50 % is enough for a, 73 % too little for b, 27 % enough for c
        assertEquals(listOf("a", "c") to listOf("b"), found.chosen.map { it.label } to found.others.map { it.label })
        assertEquals(0.7310586f, found.others[0].probability, 1e-6f)
        assertEquals(0, answer(-1000f, -5f, -2f).chosen.size)
        assertEquals(listOf(1f, 1f, 1f), answer(1000f, 99f, 98f).chosen.map { it.probability })
    }

    @Test
    fun a_value_has_a_place_on_its_scale() {
        fun value(v: Float, range: Range?) =
            Decoder(Task("t", Kind.REGRESSION, listOf(), "", range)).decode(listOf(floatArrayOf(v)), encoding(""), "", null)
        assertEquals(Answer.Value(2.5f, 0.5f), value(2.5f, Range(0f, 5f)))
        assertEquals(Answer.Value(7f, 1f), value(7f, Range(0f, 5f)))
        assertEquals(Answer.Value(7f, null), value(7f, null))
    }

    @Test
    fun the_answer_is_the_best_pair_in_order() {
        val text = "it was Tuesday in May"
        val passage = encoding(text, sequence = 1)
        val starts = floatArrayOf(99f, 0f, 0f, 3f, 0f, 0f, 99f) // [CLS] and [SEP] don't count
        val ends = floatArrayOf(99f, 5f, 0f, 2f, 0f, 4f, 99f) // the best end of all is before the best start
        val task = Task("t", Kind.QA, listOf(), "f1", null)
        val answer = Decoder(task).decode(listOf(starts, ends), passage, "when?", text) as Answer.Passage
        assertEquals("Tuesday in May", text.substring(answer.span!!.start, answer.span!!.end))
        assertEquals(null, (Decoder(task).decode(listOf(starts, ends), encoding(""), "", "") as Answer.Passage).span)
    }

    @Test
    fun there_is_no_answer_where_the_first_token_is_ahead_by_more_than_the_threshold() {
        val text = "it was Tuesday"
        val windows = listOf(6f, 4f).map { first -> // the lower sum of the first token counts, 2 + 4
            Window(listOf(floatArrayOf(first, 0f, 0f, 3f, 9f), floatArrayOf(2f, 0f, 0f, 1f, 9f)), encoding(text, sequence = 1))
        }
        fun span(threshold: Double?): Entity? =
            (Decoder(Task("t", Kind.QA, listOf(), "f1", null, threshold)).decode(windows, "when?", text) as Answer.Passage).span
        for (threshold in listOf(null, 2.0, 2.5)) assertEquals("Tuesday", span(threshold)!!.let { text.substring(it.start, it.end) })
        for (threshold in listOf(1.9, 0.0, -3.0)) assertEquals(null, span(threshold))
    }
}
