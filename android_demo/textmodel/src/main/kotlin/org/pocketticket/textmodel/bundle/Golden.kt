package org.pocketticket.textmodel.bundle

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.pocketticket.textmodel.TextModelError

/** A text with the ids and the outputs that this very program gave on the machine that exported it. */
class GoldenExample(val textA: String, val textB: String?, val ids: LongArray, val outputs: List<FloatArray>)

/** golden.json: the known answers that the self-test asks for. */
object Golden {
    /** Throws TextModelError if the text is no list of known answers. */
    fun parse(text: String): List<GoldenExample> = try {
        JSONObject(text).getJSONArray("examples").objects().map(::example)
    } catch (error: JSONException) {
        throw TextModelError("The bundle's golden.json is damaged (${error.message}); build the app again.", error)
    }

    private fun example(json: JSONObject): GoldenExample {
        val ids = json.getJSONArray("input_ids")
        val names = OUTPUTS.first { names -> names.all(json::has) }
        return GoldenExample(
            textA = json.getString("text_a"),
            textB = if (json.isNull("text_b")) null else json.getString("text_b"),
            ids = LongArray(ids.length()) { ids.getLong(it) },
            outputs = names.map { flatten(json.getJSONArray(it)).toFloatArray() },
        )
    }

    private val OUTPUTS = listOf(listOf("start_logits", "end_logits"), listOf("embedding"), listOf("logits"))

    private fun flatten(list: JSONArray): List<Float> = (0 until list.length()).flatMap { i ->
        list.optJSONArray(i)?.let(::flatten) ?: listOf(list.getDouble(i).toFloat())
    }
}
