package org.pocketticket.textmodel.engine

import java.io.File
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.TextModelError.Code
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor

/** A .pte run by ExecuTorch, mapped into memory. XNNPACK keeps a packed copy of the weights besides. */
class ExecuTorchProgram private constructor(private val module: Module) : Program {
    override fun run(ids: LongArray, segments: LongArray?): List<FloatArray> {
        val shape = longArrayOf(1, ids.size.toLong())
        val inputs = listOfNotNull(ids, segments).map { EValue.from(Tensor.fromBlob(it, shape)) }
        val outputs = explained("The model failed on a text of ${ids.size} tokens") { module.forward(*inputs.toTypedArray()) }
        return outputs.map { it.toTensor().dataAsFloatArray }
    }

    override fun close() = module.destroy()

    companion object : ProgramLoader {
        private const val NO_RUNTIME = "This app has no ExecuTorch library for this phone's processor: it needs a 64-bit Android."

        override fun load(file: File, threads: Int): ExecuTorchProgram =
            explained("The model can't be loaded on this phone") {
                val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)
                module.loadMethod("forward")
                ExecuTorchProgram(module)
            }

        private fun <T> explained(what: String, call: () -> T): T = try {
            call()
        } catch (error: RuntimeException) {
            throw TextModelError("$what: ${error.message?.lineSequence()?.first() ?: error.javaClass.simpleName}.", error, Code.PROGRAM)
        } catch (error: UnsatisfiedLinkError) {
            throw TextModelError(NO_RUNTIME, error, Code.NO_RUNTIME)
        }
    }
}
