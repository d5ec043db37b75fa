package org.pocketticket.demo

import java.io.File
import java.io.FileNotFoundException
import org.junit.Assume.assumeNotNull
import org.pocketticket.demo.bench.Device
import org.pocketticket.demo.bench.Phone
import org.pocketticket.demo.bundle.BundleFiles
import org.pocketticket.demo.engine.ExecuTorchProgram
import org.pocketticket.demo.engine.ProgramLoader
import org.pocketticket.demo.session.Session

/** Bundles that tests/android makes: one folder for each kind of task under `pocketticket.bundles`. */
object TestBundles {
    fun folder(kind: String): File {
        val root = System.getProperty("pocketticket.bundles")
        assumeNotNull(root)
        return File(root!!, kind)
    }

    fun files(kind: String): BundleFiles = folder(kind).let { folder -> BundleFiles { File(folder, it).inputStream() } }

    /** The bundle with some files replaced. */
    fun files(kind: String, replaced: Map<String, ByteArray>): BundleFiles {
        val original = files(kind)
        return BundleFiles { replaced[it]?.inputStream() ?: original.open(it) }
    }

    fun read(kind: String, name: String): String = files(kind).open(name).use { it.readBytes() }.decodeToString()

    fun scratch(): File = File.createTempFile("unpacked", "").also { it.delete(); it.deleteOnExit() }

    /** A session that does everything at once, on the caller's thread, with the real runtime. */
    fun session(files: BundleFiles, loader: ProgramLoader = ExecuTorchProgram): Session =
        Session(files, scratch(), loader, TestPhone, { it.run() }, { it.run() })

    /** No bundle at all, as in an APK that was built wrongly. */
    val nothing = BundleFiles { throw FileNotFoundException(it) }
}

object TestPhone : Phone {
    override val device = Device("Maker", "Model 7", "14", "x86_64", 8)

    override fun thermal() = "none"
}
