package org.pocketticket.demo

import org.pocketticket.demo.bench.Device
import org.pocketticket.demo.bench.Phone
import org.pocketticket.demo.bench.PhoneState
import org.pocketticket.demo.session.Session
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.bundle.BundleFiles
import org.pocketticket.textmodel.engine.ExecuTorchProgram
import org.pocketticket.textmodel.engine.ProgramLoader

/** Sessions that do everything at once, on the caller's thread, with the real runtime. */
object TestSessions {
    fun of(files: BundleFiles, loader: ProgramLoader = ExecuTorchProgram): Session =
        Session(files, TestBundles.scratch(), loader, TestPhone, { it.run() }, { it.run() })
}

object TestPhone : Phone {
    override val device = Device("Maker", "Model 7", "16", "x86_64", 8, "BP2A.1", "schedutil")

    override fun state() = PhoneState("none", powerSave = true, screenOn = true)
}
