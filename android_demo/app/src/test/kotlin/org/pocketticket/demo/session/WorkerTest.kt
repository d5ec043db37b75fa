package org.pocketticket.demo.session

import java.util.concurrent.Executor
import org.junit.Assert.assertEquals
import org.junit.Test

class WorkerTest {
    /** Runs what it holds when `run` is called. */
    private class Later : Executor {
        private val waiting = ArrayDeque<Runnable>()

        override fun execute(task: Runnable) = waiting.addLast(task)

        fun runAll() {
            while (waiting.isNotEmpty()) waiting.removeFirst().run()
        }
    }

    private val thread = Later()
    private val main = Later()
    private val worker = Worker(thread, main)
    private val seen = ArrayList<String>()

    @Test
    fun a_result_arrives_on_the_main_thread() {
        worker.submit({ seen.add("worked"); 7 }) { seen.add("got ${it.getOrThrow()}") }
        thread.runAll()
        assertEquals(listOf("worked"), seen)
        main.runAll()
        assertEquals(listOf("worked", "got 7"), seen)
    }

    @Test
    fun a_task_cancelled_before_its_turn_never_runs() {
        worker.submit({ seen.add("worked") }) { seen.add("got") }.cancel()
        thread.runAll()
        main.runAll()
        assertEquals(listOf<String>(), seen)
    }

    @Test
    fun a_task_cancelled_after_its_work_delivers_nothing() {
        val task = worker.submit({ seen.add("worked") }) { seen.add("got") }
        thread.runAll()
        task.cancel()
        main.runAll()
        assertEquals(listOf("worked"), seen)
    }

    @Test
    fun a_failure_is_delivered_not_thrown() {
        worker.submit<Int>({ error("broken") }) { seen.add(it.exceptionOrNull()!!.message!!) }
        thread.runAll()
        main.runAll()
        assertEquals(listOf("broken"), seen)
    }
}
