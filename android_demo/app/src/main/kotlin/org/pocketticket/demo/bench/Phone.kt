package org.pocketticket.demo.bench

import android.content.Context
import android.os.Build
import android.os.PowerManager

/** What a measurement must know about the phone. */
interface Phone {
    val device: Device

    /** How hot the phone is, in Android's own word; null where Android (before 10) does not say. */
    fun thermal(): String?
}

/** The phone that the app runs on. */
class ThisPhone(context: Context) : Phone {
    private val power = context.getSystemService(PowerManager::class.java)

    override val device = Device(
        Build.MANUFACTURER, Build.MODEL, Build.VERSION.RELEASE, Build.SUPPORTED_ABIS.firstOrNull().orEmpty(),
        Runtime.getRuntime().availableProcessors(),
    )

    override fun thermal(): String? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) WORDS.getOrNull(power.currentThermalStatus) else null

    private companion object {
        /** In the order of PowerManager's THERMAL_STATUS constants. */
        val WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
    }
}
