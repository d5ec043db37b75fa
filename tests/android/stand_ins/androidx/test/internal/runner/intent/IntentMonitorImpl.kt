package androidx.test.internal.runner.intent

import android.content.Intent
import androidx.test.runner.intent.IntentMonitor

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
class IntentMonitorImpl : IntentMonitor {
    fun signalIntent(@Suppress("UNUSED_PARAMETER") intent: Intent?) = Unit
}
