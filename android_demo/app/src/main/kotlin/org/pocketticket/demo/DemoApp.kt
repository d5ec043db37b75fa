package org.pocketticket.demo

import android.app.Application
import android.os.Handler
import android.os.Looper
import java.io.File
import java.util.concurrent.Executors
import org.pocketticket.demo.bench.ThisPhone
import org.pocketticket.demo.session.Session
import org.pocketticket.textmodel.engine.ExecuTorchProgram

/** Holds the session for as long as the process lives, so that a rotation loses nothing. */
open class DemoApp : Application() {
    val session: Session by lazy { createSession().also { it.start() } }

    protected open fun createSession(): Session {
        val main = Handler(Looper.getMainLooper())
        return Session(
            files = { name -> assets.open("bundle/$name") },
            folder = File(noBackupFilesDir, "model"),
            loader = ExecuTorchProgram,
            phone = ThisPhone(this),
            thread = Executors.newSingleThreadExecutor { Thread(it, "model") },
            main = { main.post(it) },
        )
    }
}
