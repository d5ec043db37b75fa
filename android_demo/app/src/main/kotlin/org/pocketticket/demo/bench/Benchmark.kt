package org.pocketticket.demo.bench

import org.json.JSONArray
import org.json.JSONObject
import org.pocketticket.demo.session.Cancellation
import org.pocketticket.textmodel.engine.TextModel
import org.pocketticket.textmodel.text.Encoding

/** Latency at one length, milliseconds. */
data class Timing(val tokens: Int, val median: Double, val p10: Double, val p90: Double)

/** A finished measurement, with the phone's state before and after it. */
data class BenchmarkResult(
    val modelName: String,
    val modelSha256: String,
    val modelBytes: Long,
    val threads: Int,
    val warmUp: Int,
    val runs: Int,
    val timings: List<Timing>,
    val device: Device,
    val before: PhoneState,
    val after: PhoneState,
) {
    fun toJson(): String = JSONObject()
        .put("format", 1)
        .put("model", JSONObject().put("name", modelName).put("sha256", modelSha256).put("bytes", modelBytes))
        .put("threads", threads).put("warm_up", warmUp).put("runs", runs)
        .put(
            "latency_ms",
            JSONObject().apply {
                for (t in timings) {
                    put("${t.tokens}", JSONObject().put("median", t.median).put("p10", t.p10).put("p90", t.p90))
                }
            },
        )
        .put(
            "device",
            JSONObject().put("maker", device.maker).put("model", device.model).put("android", device.android)
                .put("abi", device.abi).put("cores", device.cores).put("build", device.build)
                .put("governor", device.governor ?: JSONObject.NULL),
        )
        .put("thermal", pair { it.thermal ?: JSONObject.NULL })
        .put("power_save", pair { it.powerSave })
        .put("screen_on", pair { it.screenOn })
        .toString()

    private fun pair(value: (PhoneState) -> Any) = JSONArray().put(value(before)).put(value(after))
}

/** Times the program alone, without the tokenizer, on real tokens repeated to each length. */
class Benchmark(private val model: TextModel, private val clock: () -> Long = { System.nanoTime() }) {
    /**
     * Warms up, then times `runs` runs at each length. `progress` gets the share done, 0 to 1. Returns null when
     * canceled.
     */
    fun run(runs: Int, cancellation: Cancellation, progress: (Float) -> Unit): List<Timing>? {
        val lengths = LENGTHS.filter { it <= model.bundle.manifest.model.maxTokens }.ifEmpty { listOf(2) }
        return lengths.mapIndexed { number, length ->
            val input = inputOf(length)
            repeat(WARM_UP) {
                if (cancellation.isCancelled) return null
                model.run(input)
            }
            val times = DoubleArray(runs) { run ->
                if (cancellation.isCancelled) return null
                if (run % 10 == 0) progress((number + run / runs.toFloat()) / lengths.size)
                val began = clock()
                model.run(input)
                (clock() - began) / 1e6
            }
            times.sort()
            Timing(length, percentile(times, 0.5), percentile(times, 0.1), percentile(times, 0.9))
        }
    }

    private fun inputOf(length: Int): Encoding {
        val text = model.bundle.golden.map { model.encode(it.textA, it.textB).tokens }.flatten().filter { it.sequence >= 0 }
        val ends = model.encode("", null).tokens // [CLS] [SEP]
        val middle = List(length - 2) { text.getOrElse(it % maxOf(text.size, 1)) { ends[0] } }
        return Encoding(listOf(ends[0]) + middle + ends[1], LongArray(length), 0)
    }

    companion object {
        val LENGTHS = listOf(12, 32, 64)
        const val WARM_UP = 20

        /** Between the two nearest of the sorted values, as NumPy's `percentile` does by default. */
        fun percentile(sorted: DoubleArray, share: Double): Double {
            val place = share * (sorted.size - 1)
            val low = place.toInt()
            val high = minOf(low + 1, sorted.size - 1)
            return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
        }
    }
}
