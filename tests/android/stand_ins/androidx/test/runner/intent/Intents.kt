package androidx.test.runner.intent

import android.app.Instrumentation
import android.content.Intent

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
object IntentStubberRegistry {
    @JvmStatic
    fun getInstance(): IntentStubber? = null

    @JvmStatic
    fun isLoaded(): Boolean = false
}

interface IntentStubber {
    fun getActivityResultForIntent(intent: Intent?): Instrumentation.ActivityResult?
}

object IntentMonitorRegistry {
    @JvmStatic
    fun registerInstance(@Suppress("UNUSED_PARAMETER") monitor: IntentMonitor?) = Unit
}

interface IntentMonitor
