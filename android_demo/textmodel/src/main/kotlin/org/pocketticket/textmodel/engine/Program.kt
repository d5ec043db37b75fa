package org.pocketticket.textmodel.engine

import java.io.Closeable
import java.io.File

/** A loaded model: ids (and segments, where the program takes them) of one text → its outputs, flattened. */
interface Program : Closeable {
    /** Any length from 2 to the manifest's maximum; nothing may be padded, as there is no attention mask. Throws TextModelError. */
    fun run(ids: LongArray, segments: LongArray?): List<FloatArray>
}

/** Loads a program file; the one place where the rest of the app meets ExecuTorch, and tests something else. */
fun interface ProgramLoader {
    fun load(file: File, threads: Int): Program
}
