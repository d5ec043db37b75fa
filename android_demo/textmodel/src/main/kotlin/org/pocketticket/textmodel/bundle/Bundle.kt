package org.pocketticket.textmodel.bundle

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.security.DigestInputStream
import java.security.MessageDigest
import org.json.JSONException
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.TextModelError.Code
import org.pocketticket.textmodel.text.Tokenizer
import org.pocketticket.textmodel.text.TokenizerParts

/** Opens a file of the bundle by name; on the phone the APK's assets, in tests a folder. */
fun interface BundleFiles {
    fun open(name: String): InputStream
}

/** A bundle whose files were all checked against the hashes of its manifest. */
class Bundle(val manifest: Manifest, val tokenizer: Tokenizer, val golden: List<GoldenExample>, val model: File) {
    companion object {
        /**
         * Reads the bundle and unpacks the model into `folder`, because ExecuTorch reads a program from a file of its own.
         * It is unpacked once: the file is named by its hash and appears only when it is complete. What other
         * versions of the app have left there is removed. Throws TextModelError.
         */
        fun open(files: BundleFiles, folder: File): Bundle {
            val manifest = Manifest.parse(files.read("manifest.json").decodeToString())
            val vocabulary = files.checked(manifest.vocabularyFile, manifest.vocabularySha256)
            val golden = files.checked(manifest.goldenFile, manifest.goldenSha256)
            val tokenizer = try {
                TokenizerParts.read(manifest.tokenizer, vocabulary)
            } catch (error: IllegalArgumentException) {
                throw TextModelError("The bundle's vocabulary is unusable: ${error.message}.", error)
            } catch (error: JSONException) {
                throw TextModelError("The bundle's manifest.json is damaged (${error.message}); build the app again.", error)
            }
            return Bundle(manifest, tokenizer, Golden.parse(golden.decodeToString()), unpack(files, manifest.model, folder))
        }

        private fun unpack(files: BundleFiles, model: ModelInfo, folder: File): File {
            val target = File(folder, "${model.sha256}.pte")
            if (target.isFile && target.length() == model.bytes && sha256(target) == model.sha256) return target
            if (!folder.isDirectory && !folder.mkdirs()) {
                throw TextModelError("The app's private folder can't be written.", null, Code.STORAGE)
            }
            folder.listFiles()?.forEach { it.delete() }
            val temporary = File(folder, "unpacking")
            val digest = MessageDigest.getInstance("SHA-256")
            val source = files.opened(model.file)
            try {
                DigestInputStream(source, digest).use { from ->
                    temporary.outputStream().use { from.copyTo(it); it.fd.sync() }
                }
            } catch (error: IOException) {
                temporary.delete()
                val megabytes = model.bytes / 1_000_000 + 1
                throw TextModelError("The model could not be unpacked: is there $megabytes MB of free space?", error, Code.STORAGE)
            }
            if (hex(digest) != model.sha256 || !temporary.renameTo(target)) {
                temporary.delete()
                throw TextModelError("The model in this app is damaged (its SHA-256 is not the manifest's); install it again.")
            }
            return target
        }

        private fun sha256(file: File): String {
            val digest = MessageDigest.getInstance("SHA-256")
            val buffer = ByteArray(1 shl 16)
            file.inputStream().use { source ->
                generateSequence { source.read(buffer).takeIf { it >= 0 } }.forEach { digest.update(buffer, 0, it) }
            }
            return hex(digest)
        }

        private fun BundleFiles.checked(name: String, sha256: String): ByteArray {
            val bytes = read(name)
            val digest = MessageDigest.getInstance("SHA-256").apply { update(bytes) }
            if (hex(digest) != sha256) {
                throw TextModelError("$name in this app is damaged (its SHA-256 is not the manifest's); install the app again.")
            }
            return bytes
        }

        private fun BundleFiles.read(name: String): ByteArray = opened(name).use { it.readBytes() }

        private fun BundleFiles.opened(name: String): InputStream = try {
            open(name)
        } catch (error: IOException) {
            val sentence = "This app was built without $name; build it again around a complete bundle."
            throw TextModelError(sentence, error, Code.BUNDLE_MISSING)
        }

        private fun hex(digest: MessageDigest): String =
            digest.digest().joinToString("") { (it.toInt() and 0xff or 0x100).toString(16).substring(1) }
    }
}
