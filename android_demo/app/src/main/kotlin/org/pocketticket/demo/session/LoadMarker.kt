package org.pocketticket.demo.session

import java.io.File
import java.io.IOException

/**
 * A file that is there while the model is loading. Found at a start, it says that the process ended in the middle: native
 * code can end it without an exception, and would do so at every start.
 */
class LoadMarker(private val file: File) {
    val found: Boolean get() = file.exists()

    /** Runs `load` with the file in place. */
    fun <T> around(load: () -> T): T {
        try {
            file.parentFile?.mkdirs()
            file.createNewFile()
        } catch (error: IOException) {
            // without room for an empty file the model can't be unpacked either, which says so
        }
        try {
            return load()
        } finally {
            file.delete()
        }
    }
}
