package org.pocketticket.demo.session

import org.pocketticket.demo.bench.BenchmarkResult
import org.pocketticket.textmodel.bundle.Example
import org.pocketticket.textmodel.bundle.Manifest
import org.pocketticket.textmodel.engine.Inference
import org.pocketticket.textmodel.engine.SelfTest

enum class Phase { LOADING, READY, RUNNING, DISABLED }

/**
 * The first screen. `message`: a sentence about what went wrong. While the phase is RUNNING, `inference` is of an older text.
 */
data class ClassifyState(
    val phase: Phase = Phase.LOADING,
    val manifest: Manifest? = null,
    val inference: Inference? = null,
    val message: String? = null,
    val examples: List<Example> = emptyList(),
)

/** The second screen. `progress`: 0 to 1. */
data class BenchmarkState(
    val phase: Phase = Phase.LOADING,
    val progress: Float = 0f,
    val result: BenchmarkResult? = null,
    val message: String? = null,
)

/** The third screen. */
data class ModelState(
    val phase: Phase = Phase.LOADING,
    val manifest: Manifest? = null,
    val selfTest: SelfTest? = null,
    val message: String? = null,
)
