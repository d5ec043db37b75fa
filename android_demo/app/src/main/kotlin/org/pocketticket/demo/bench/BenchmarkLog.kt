package org.pocketticket.demo.bench

import android.util.Log

/** Hands a result to `adb logcat`: the way out of an app that has no permission to write where adb can read. */
object BenchmarkLog {
    const val TAG = "PocketTicket"
    private const val CHUNK = 2000 // Android cuts log lines at about 4 kB

    /** "benchmark NAME ok 1/2 {…" or "benchmark NAME error 1/1 sentence". */
    fun write(name: String, result: Result<String>) {
        val word = if (result.isSuccess) "ok" else "error"
        val text = result.getOrElse { it.message.orEmpty() }
        val count = maxOf(1, (text.length + CHUNK - 1) / CHUNK)
        for (i in 0 until count) {
            val chunk = text.substring(i * CHUNK, minOf((i + 1) * CHUNK, text.length))
            Log.i(TAG, "benchmark $name $word ${i + 1}/$count $chunk")
        }
    }
}
