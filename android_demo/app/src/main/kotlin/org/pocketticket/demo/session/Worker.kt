package org.pocketticket.demo.session

import java.util.concurrent.Executor

/** Asks a running task to stop; the task looks at `isCancelled` when it can. */
class Cancellation {
    @Volatile
    var isCancelled = false
        private set

    fun cancel() {
        isCancelled = true
    }
}

/**
 * The one thread that touches the model. A task that was canceled before its turn is skipped, and its result is not
 * delivered if it is canceled while it runs.
 */
class Worker(private val thread: Executor, private val main: Executor) {
    /** Runs `work` on the worker's thread and then `deliver` on the main thread. */
    fun <T> submit(work: (Cancellation) -> T, deliver: (Result<T>) -> Unit): Cancellation {
        val cancellation = Cancellation()
        thread.execute {
            if (!cancellation.isCancelled) {
                val result = runCatching { work(cancellation) }
                main.execute { if (!cancellation.isCancelled) deliver(result) }
            }
        }
        return cancellation
    }

    /** From the worker's thread: tells the main thread how far a task has come. */
    fun report(cancellation: Cancellation, progress: () -> Unit) =
        main.execute { if (!cancellation.isCancelled) progress() }
}
