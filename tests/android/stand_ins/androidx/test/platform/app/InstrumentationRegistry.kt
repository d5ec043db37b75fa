package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
object InstrumentationRegistry {
    private var current: Instrumentation? = null

    @JvmStatic
    fun registerInstance(instrumentation: Instrumentation?, @Suppress("UNUSED_PARAMETER") arguments: Bundle?) {
        current = instrumentation
    }

    @JvmStatic
    fun getInstrumentation(): Instrumentation? = current
}
