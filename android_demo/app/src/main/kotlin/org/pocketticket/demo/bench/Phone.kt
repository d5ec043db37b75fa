package org.pocketticket.demo.bench

import android.content.Context
import android.os.Build
import android.os.PowerManager
import java.io.File
import java.io.IOException

/** What a measurement must know about the phone. */
interface Phone {
    val device: Device

    fun state(): PhoneState
}

/** The phone's model. `build`: Android's name of the system; `governor`: how the first core's clock is chosen, or null. */
data class Device(
    val maker: String,
    val model: String,
    val android: String,
    val abi: String,
    val cores: Int,
    val build: String = "",
    val governor: String? = null,
)

/** What changes a measurement. `thermal`: Android's own word; null where Android (before 10) does not say. */
data class PhoneState(val thermal: String?, val powerSave: Boolean, val screenOn: Boolean)

/** The phone that the app runs on. */
class ThisPhone(context: Context) : Phone {
    private val power = context.getSystemService(PowerManager::class.java)

    override val device = Device(
        Build.MANUFACTURER, Build.MODEL, Build.VERSION.RELEASE, Build.SUPPORTED_ABIS.firstOrNull().orEmpty(),
        Runtime.getRuntime().availableProcessors(), Build.DISPLAY.orEmpty(), governor(),
    )

    override fun state() = PhoneState(
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) WORDS.getOrNull(power.currentThermalStatus) else null,
        power.isPowerSaveMode,
        power.isInteractive,
    )

    private companion object {
        const val GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"

        /** In the order of PowerManager's THERMAL_STATUS constants. */
        val WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")

        fun governor(): String? = try {
            File(GOVERNOR).readText().trim().ifEmpty { null }
        } catch (error: IOException) {
            null // many phones keep it to themselves
        }
    }
}
