package org.pocketticket.textmodel

import java.io.File
import java.io.FileNotFoundException
import java.security.MessageDigest
import org.json.JSONObject
import org.junit.Assume.assumeNotNull
import org.pocketticket.textmodel.bundle.BundleFiles

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

    /** The classification bundle with one file replaced and its hash in the manifest set right. */
    fun changed(file: String, key: String, bytes: ByteArray): BundleFiles {
        val manifest = JSONObject(read("classification", "manifest.json"))
        val sha256 = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
        manifest.getJSONObject(key).put("sha256", sha256).put("bytes", bytes.size)
        return files("classification", mapOf(file to bytes, "manifest.json" to manifest.toString().encodeToByteArray()))
    }

    fun read(kind: String, name: String): String = files(kind).open(name).use { it.readBytes() }.decodeToString()

    fun scratch(): File = File.createTempFile("unpacked", "").also { it.delete(); it.deleteOnExit() }

    /** No bundle at all, as in an APK that was built wrongly. */
    val nothing = BundleFiles { throw FileNotFoundException(it) }
}
