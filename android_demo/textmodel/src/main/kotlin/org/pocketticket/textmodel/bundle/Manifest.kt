package org.pocketticket.textmodel.bundle

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.text.LongTexts
import org.pocketticket.textmodel.text.TokenizerParts

/** The kind of task; it decides what the first screen shows. */
enum class Kind(val key: String, val pair: Boolean) {
    CLASSIFICATION("classification", false),
    PAIR("pair", true),
    REGRESSION("regression", false),
    PAIR_REGRESSION("pair_regression", true),
    MULTILABEL("multilabel", false),
    TOKENS("tokens", false),
    QA("qa", true),
    EMBEDDING("embedding", false),
}

/**
 * `noAnswerThreshold`: how far the first token may be ahead of the best span of a passage; null: always an answer.
 * `thresholds`: the probability from which on a text has each label, where it may have several.
 * `notSureBelow`: the probability that the best class needs for the model to be sure; null: it always is.
 */
data class Task(
    val name: String,
    val kind: Kind,
    val labels: List<String>,
    val metric: String,
    val range: Range?,
    val noAnswerThreshold: Double? = null,
    val thresholds: List<Double> = emptyList(),
    val vector: VectorInfo? = null,
    val notSureBelow: Double? = null,
)

/**
 * How a text's vector is used, where the task is one of vectors. `sizes`: how many of its first numbers are a vector,
 * too, the largest first. Prefixes come before a text that searches, and before one that is searched.
 */
data class VectorInfo(
    val size: Int,
    val sizes: List<Int>,
    val normalized: Boolean,
    val queryPrefix: String,
    val passagePrefix: String,
)

/** The scale of a regression's values. */
data class Range(val low: Float, val high: Float)

/** `padId`: with this id no text may begin or end, because nothing is padded; null: the bundle does not name it. */
data class ModelInfo(
    val file: String,
    val sha256: String,
    val bytes: Long,
    val segments: Boolean,
    val maxTokens: Int,
    val threads: Int,
    val padId: Long?,
)

/** Numbers of the report; null: not measured. Ratios are unpruned ÷ this model. */
data class ReportNumbers(
    val metric: Double?,
    val interval: Pair<Double, Double>?,
    val denseMetric: Double?,
    val sizeRatio: Double?,
    val speedRatio: Map<Int, Double>,
)

/** A text to try, and the label that the data gives it; null: the data has none for a whole text. */
data class Example(val textA: String, val textB: String?, val label: String?)

data class Licence(val name: String, val licence: String)

/** manifest.json, format 1: everything that the app knows about the model. */
data class Manifest(
    val name: String,
    val task: Task,
    val model: ModelInfo,
    /** The description that TokenizerParts reads. */
    val tokenizer: JSONObject,
    val vocabularyFile: String,
    val vocabularySha256: String,
    val goldenFile: String,
    val goldenSha256: String,
    val tolerance: Float,
    val report: ReportNumbers,
    val licences: List<Licence>,
    val long: LongTexts = LongTexts(),
    val examples: List<Example> = emptyList(),
) {
    companion object {
        private const val FORMAT = 1
        private const val NO_PADDING = "none"
        private val SHA256 = Regex("[0-9a-f]{64}")

        /** Throws TextModelError if this is no manifest that the app understands. */
        fun parse(text: String): Manifest = try {
            read(JSONObject(text))
        } catch (error: JSONException) {
            throw TextModelError("The bundle's manifest.json is damaged (${error.message}); build the app again.", error)
        }

        private fun read(json: JSONObject): Manifest {
            val format = json.getInt("format")
            if (format != FORMAT) throw TextModelError("The bundle has format $format, but this app reads format $FORMAT.")
            val tokenizer = json.getJSONObject("tokenizer")
            if (tokenizer.getString("kind") !in TokenizerParts.KINDS) {
                throw TextModelError("This app can't tokenize like a “${tokenizer.getString("kind")}” tokenizer.")
            }
            val golden = json.getJSONObject("golden")
            return Manifest(
                name = json.getString("name"),
                task = task(json.getJSONObject("task")),
                model = model(json.getJSONObject("model")),
                tokenizer = tokenizer,
                vocabularyFile = tokenizer.getString("file"),
                vocabularySha256 = tokenizer.getString("sha256"),
                goldenFile = golden.getString("file"),
                goldenSha256 = golden.getString("sha256"),
                tolerance = golden.getDouble("tolerance").toFloat(),
                report = report(json.optJSONObject("report") ?: JSONObject()),
                licences = json.optJSONArray("licences").objects()
                    .map { Licence(it.getString("name"), it.getString("licence")) },
                long = json.optJSONObject("long")?.let(::long) ?: LongTexts(),
                examples = json.optJSONArray("examples").objects().map {
                    Example(it.getString("text_a"), it.text("text_b"), it.text("label"))
                },
            )
        }

        private fun task(json: JSONObject): Task {
            val kind = Kind.entries.find { it.key == json.getString("kind") }
                ?: throw TextModelError("This app has no screen for tasks of the kind “${json.getString("kind")}”.")
            val labels = json.optJSONArray("labels").orEmpty().let { list -> List(list.length()) { list.getString(it) } }
            val range = json.optJSONArray("range")?.let { Range(it.getDouble(0).toFloat(), it.getDouble(1).toFloat()) }
            val threshold = json.number("no_answer_threshold")
            val thresholds = json.optJSONArray("thresholds").orEmpty().let { list -> List(list.length()) { list.getDouble(it) } }
            if (kind == Kind.MULTILABEL && thresholds.size != labels.size) {
                throw TextModelError("The bundle has ${labels.size} labels but ${thresholds.size} thresholds; build the app again.")
            }
            val vector = json.optJSONObject("vector")?.let(::vector)
            val sure = json.number("not_sure_below")
            return Task(json.getString("name"), kind, labels, json.optString("metric"), range, threshold, thresholds, vector, sure)
        }

        private fun vector(json: JSONObject): VectorInfo {
            val sizes = json.getJSONArray("sizes")
            return VectorInfo(
                json.getInt("size"), List(sizes.length()) { sizes.getInt(it) }, json.getBoolean("normalized"),
                json.getString("query_prefix"), json.getString("passage_prefix"),
            )
        }

        private fun model(json: JSONObject): ModelInfo {
            val inputs = json.getJSONArray("inputs")
            val padding = json.optString("padding", NO_PADDING) // older bundles don't say it
            if (padding != NO_PADDING) throw TextModelError("This app never pads a text, but the bundle wants the padding “$padding”.")
            val sha256 = json.getString("sha256") // becomes the name of a file
            if (!SHA256.matches(sha256)) throw TextModelError("The bundle's manifest.json is damaged: its SHA-256 is none.")
            return ModelInfo(
                json.getString("file"), sha256, json.getLong("bytes"),
                segments = (0 until inputs.length()).any { inputs.getString(it) == "token_type_ids" },
                maxTokens = json.getInt("max_tokens"), threads = json.optInt("threads", 1),
                padId = if (json.isNull("pad_id")) null else json.getLong("pad_id"),
            )
        }

        private fun long(json: JSONObject): LongTexts {
            val strategy = LongTexts.Strategy.entries.find { it.key == json.getString("strategy") }
                ?: throw TextModelError("This app can't read long texts with the strategy “${json.getString("strategy")}”.")
            return LongTexts(strategy, json.getInt("overlap_percent"), json.getInt("head_percent"))
        }

        private fun report(json: JSONObject): ReportNumbers {
            val speed = json.optJSONObject("speed_ratio") ?: JSONObject()
            return ReportNumbers(
                metric = json.number("metric_test"),
                interval = json.optJSONArray("ci95")?.let { it.getDouble(0) to it.getDouble(1) },
                denseMetric = json.number("dense_metric_test"),
                sizeRatio = json.number("size_ratio"),
                speedRatio = speed.keys().asSequence().filter { !speed.isNull(it) }
                    .associate { it.toInt() to speed.getDouble(it) }.toSortedMap(),
            )
        }

        private fun JSONObject.text(key: String): String? = if (isNull(key)) null else getString(key)

        private fun JSONObject.number(key: String): Double? = if (isNull(key)) null else getDouble(key)
    }
}

internal fun JSONArray?.orEmpty(): JSONArray = this ?: JSONArray()

internal fun JSONArray?.objects(): List<JSONObject> = orEmpty().let { list -> List(list.length()) { list.getJSONObject(it) } }
