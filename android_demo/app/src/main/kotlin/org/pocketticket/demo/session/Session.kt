package org.pocketticket.demo.session

import java.io.Closeable
import java.io.File
import java.util.concurrent.Executor
import org.pocketticket.demo.bench.Benchmark
import org.pocketticket.demo.bench.BenchmarkResult
import org.pocketticket.demo.bench.Phone
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.TextModelError.Code
import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.bundle.BundleFiles
import org.pocketticket.textmodel.engine.Inference
import org.pocketticket.textmodel.engine.ProgramLoader
import org.pocketticket.textmodel.engine.SelfTest
import org.pocketticket.textmodel.engine.TextModel

/**
 * What outlives a rotation: the loaded model and the states of the three screens.
 *
 * Called from the main thread only. The model is touched by the worker thread only.
 */
class Session(
    private val files: BundleFiles,
    private val folder: File,
    private val loader: ProgramLoader,
    private val phone: Phone,
    thread: Executor,
    main: Executor,
) : Closeable {
    val classify = Store(ClassifyState())
    val benchmark = Store(BenchmarkState())
    val model = Store(ModelState())

    private val worker = Worker(thread, main)
    private val marker = LoadMarker(File("${folder.path}.loading"))
    private var question: Cancellation? = null
    private var measurement: Measurement? = null

    @Volatile
    private var loaded: TextModel? = null // written and used by the worker

    /** A measurement that waits or runs, and who wants to know how it ends. */
    private class Measurement(val done: (Result<String>) -> Unit, var task: Cancellation? = null)

    /**
     * Unpacks, checks and loads the model, then asks it for the known answers. If the process ended while it did so the
     * last time, it does not try again unless `again`.
     */
    fun start(again: Boolean = false) {
        classify.value = ClassifyState()
        model.value = ModelState()
        if (measurement == null) benchmark.value = BenchmarkState()
        worker.submit({ load(again) }) { result ->
            result.onSuccess { (text, test) -> ready(text, test) }.onFailure { disable(sentence(it)) }
        }
    }

    private fun load(again: Boolean): Pair<TextModel, SelfTest> {
        if (marker.found && !again) throw TextModelError(ENDED, null, Code.PROGRAM)
        return marker.around {
            val bundle = Bundle.open(files, folder)
            val text = TextModel(bundle, loader.load(bundle.model, bundle.manifest.model.threads))
            val test = text.selfTest()
            if (test.failure == null) loaded = text else text.close()
            text to test
        }
    }

    private fun ready(text: TextModel, test: SelfTest) {
        val manifest = text.bundle.manifest
        val phase = if (test.failure == null) Phase.READY else Phase.DISABLED
        classify.value = ClassifyState(phase, manifest, message = test.failure, examples = Examples.of(text.bundle))
        if (measurement == null) benchmark.value = BenchmarkState(phase, message = test.failure)
        model.value = ModelState(phase, manifest, test, test.failure)
    }

    private fun disable(message: String) {
        classify.value = ClassifyState(Phase.DISABLED, message = message)
        if (measurement == null) benchmark.value = BenchmarkState(Phase.DISABLED, message = message)
        model.value = ModelState(Phase.DISABLED, message = message)
    }

    /**
     * Asks about a text (and a second one, for tasks on pairs). A question that is still waiting is dropped; a blank text
     * gets no answer.
     */
    fun ask(textA: String, textB: String?) {
        question?.cancel()
        val now = classify.value
        if (now.phase == Phase.LOADING || now.phase == Phase.DISABLED) return
        if (textA.isBlank() && textB.isNullOrBlank()) {
            classify.value = now.copy(phase = Phase.READY, inference = null, message = null)
            return
        }
        classify.value = now.copy(phase = Phase.RUNNING, message = null)
        question = worker.submit({ required().ask(textA, textB) }) { result -> answered(result) }
    }

    private fun answered(result: Result<Inference>) {
        classify.value = classify.value.copy(
            phase = Phase.READY,
            inference = result.getOrNull(),
            message = result.exceptionOrNull()?.let(::sentence),
        )
    }

    /**
     * Measures the latency, after the model is loaded; `done` gets the result's JSON, or a sentence about what went wrong,
     * also when the measurement is canceled.
     */
    fun measure(runs: Int = RUNS, done: (Result<String>) -> Unit = {}) {
        cancelMeasurement()
        val wanted = Measurement(done)
        measurement = wanted
        benchmark.value = BenchmarkState(Phase.RUNNING)
        wanted.task = worker.submit({ time(runs, it) }) { result ->
            measurement = null
            val failure = result.exceptionOrNull()?.let(::sentence)
            val phase = if (loaded == null) Phase.DISABLED else Phase.READY
            benchmark.value = BenchmarkState(phase, 1f, result.getOrNull(), failure)
            done(result.map { it.toJson() }.recoverCatching { throw TextModelError(failure.orEmpty(), it, Code.STATE) })
        }
    }

    private fun time(runs: Int, cancellation: Cancellation): BenchmarkResult {
        val text = required()
        val before = phone.state()
        val timings = Benchmark(text).run(runs, cancellation) { share ->
            worker.report(cancellation) { benchmark.value = benchmark.value.copy(progress = share) }
        }
        val info = text.bundle.manifest
        return BenchmarkResult(
            info.name, info.model.sha256, info.model.bytes, info.model.threads, Benchmark.WARM_UP, runs,
            timings.orEmpty(), phone.device, before, phone.state(),
        )
    }

    /** Ends a measurement. `message` says why on the screen, where the user has not ended it. */
    fun cancelMeasurement(message: String? = null) {
        val canceled = measurement ?: return
        measurement = null
        canceled.task?.cancel()
        benchmark.value = BenchmarkState(classify.value.phase.takeIf { it != Phase.RUNNING } ?: Phase.READY, message = message)
        canceled.done(Result.failure(TextModelError(message ?: CANCELED, null, Code.STATE)))
    }

    private fun required(): TextModel =
        loaded ?: throw TextModelError("The model is switched off; the Model screen says why.", null, Code.STATE)

    private fun sentence(error: Throwable): String =
        if (error is TextModelError) error.message.orEmpty() else "Something unexpected went wrong: $error."

    /** Frees the model's memory. No call may follow. */
    override fun close() {
        question?.cancel()
        cancelMeasurement()
        worker.submit({ loaded?.close().also { loaded = null } }) {}
    }

    companion object {
        const val RUNS = 200
        const val CANCELED = "The measurement was canceled."
        const val ENDED = "The app ended while it was loading the model the last time. Try again, or install the app again."
    }
}
