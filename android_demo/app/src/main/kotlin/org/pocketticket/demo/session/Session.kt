package org.pocketticket.demo.session

import java.io.Closeable
import java.io.File
import java.util.concurrent.Executor
import org.pocketticket.demo.bench.Benchmark
import org.pocketticket.demo.bench.BenchmarkResult
import org.pocketticket.demo.bench.Phone
import org.pocketticket.textmodel.TextModelError
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
    private var question: Cancellation? = null
    private var measurement: Cancellation? = null

    @Volatile
    private var loaded: TextModel? = null // written and used by the worker
    private var examples = listOf<Pair<String, String?>>()
    private var nextExample = 0

    /** Unpacks, checks and loads the model, then asks it for the known answers. */
    fun start() {
        worker.submit({ load() }) { result ->
            result.onSuccess { (text, test) -> ready(text, test) }.onFailure { disable(sentence(it)) }
        }
    }

    private fun load(): Pair<TextModel, SelfTest> {
        val bundle = Bundle.open(files, folder)
        val text = TextModel(bundle, loader.load(bundle.model, bundle.manifest.model.threads))
        val test = text.selfTest()
        if (test.failure == null) loaded = text else text.close()
        return text to test
    }

    private fun ready(text: TextModel, test: SelfTest) {
        val manifest = text.bundle.manifest
        examples = text.bundle.golden.map { it.textA to it.textB }.filter { (a, _) -> a.isNotBlank() && a.length <= 300 }
        val phase = if (test.failure == null) Phase.READY else Phase.DISABLED
        classify.value = ClassifyState(phase, manifest, message = test.failure)
        benchmark.value = BenchmarkState(phase, message = test.failure)
        model.value = ModelState(phase, manifest, test, test.failure)
    }

    private fun disable(message: String) {
        classify.value = ClassifyState(Phase.DISABLED, message = message)
        benchmark.value = BenchmarkState(Phase.DISABLED, message = message)
        model.value = ModelState(Phase.DISABLED, message = message)
    }

    /** Asks about a text (and a second one, for tasks on pairs). A question that is still waiting is dropped. */
    fun ask(textA: String, textB: String?) {
        question?.cancel()
        classify.value = classify.value.copy(phase = Phase.RUNNING, message = null)
        question = worker.submit({ required().ask(textA, textB) }) { result -> answered(result) }
    }

    private fun answered(result: Result<Inference>) {
        classify.value = classify.value.copy(
            phase = Phase.READY,
            inference = result.getOrNull(),
            message = result.exceptionOrNull()?.let(::sentence),
        )
    }

    /** A text of the known answers to try, another one each time; null while nothing is loaded. */
    fun example(): Pair<String, String?>? =
        if (examples.isEmpty()) null else examples[nextExample++ % examples.size]

    /** Measures the latency; `done` gets the result's JSON or a sentence about what went wrong. */
    fun measure(runs: Int = RUNS, done: (Result<String>) -> Unit = {}) {
        measurement?.cancel()
        benchmark.value = BenchmarkState(Phase.RUNNING)
        measurement = worker.submit({ time(runs, it) }) { result ->
            measurement = null
            val failure = result.exceptionOrNull()?.let(::sentence)
            val phase = if (loaded == null) Phase.DISABLED else Phase.READY
            benchmark.value = BenchmarkState(phase, 1f, result.getOrNull(), failure)
            done(result.map { it.toJson() }.recoverCatching { throw TextModelError(failure.orEmpty(), it) })
        }
    }

    private fun time(runs: Int, cancellation: Cancellation): BenchmarkResult {
        val text = required()
        val before = phone.thermal()
        val timings = Benchmark(text).run(runs, cancellation) { share ->
            worker.report(cancellation) { benchmark.value = benchmark.value.copy(progress = share) }
        }
        val info = text.bundle.manifest
        return BenchmarkResult(
            info.name, info.model.sha256, info.model.bytes, info.model.threads, Benchmark.WARM_UP, runs,
            timings.orEmpty(), phone.device, before, phone.thermal(),
        )
    }

    fun cancelMeasurement() {
        measurement?.cancel() ?: return
        measurement = null
        benchmark.value = BenchmarkState(Phase.READY)
    }

    private fun required(): TextModel = loaded ?: throw TextModelError("The model is switched off; the Model screen says why.")

    private fun sentence(error: Throwable): String =
        if (error is TextModelError) error.message.orEmpty() else "Something unexpected went wrong: $error."

    /** Frees the model's memory. No call may follow. */
    override fun close() {
        question?.cancel()
        measurement?.cancel()
        worker.submit({ loaded?.close().also { loaded = null } }) {}
    }

    companion object {
        const val RUNS = 200
    }
}
