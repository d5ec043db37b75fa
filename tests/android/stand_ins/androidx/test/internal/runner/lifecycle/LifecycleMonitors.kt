package androidx.test.internal.runner.lifecycle

import android.app.Activity
import android.app.Application
import androidx.test.runner.lifecycle.ActivityLifecycleCallback
import androidx.test.runner.lifecycle.ActivityLifecycleMonitor
import androidx.test.runner.lifecycle.ApplicationLifecycleMonitor
import androidx.test.runner.lifecycle.ApplicationStage
import androidx.test.runner.lifecycle.Stage
import java.util.WeakHashMap

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
class ApplicationLifecycleMonitorImpl : ApplicationLifecycleMonitor {
    @Suppress("UNUSED_PARAMETER")
    fun signalLifecycleChange(application: Application?, stage: ApplicationStage?) = Unit
}

class ActivityLifecycleMonitorImpl(@Suppress("UNUSED_PARAMETER") declawThreadCheck: Boolean = false) : ActivityLifecycleMonitor {
    private val stages = WeakHashMap<Activity, Stage>()

    override fun addLifecycleCallback(callback: ActivityLifecycleCallback?) = Unit

    override fun removeLifecycleCallback(callback: ActivityLifecycleCallback?) = Unit

    override fun getLifecycleStageOf(activity: Activity?): Stage? = stages[activity]

    override fun getActivitiesInStage(stage: Stage?): Collection<Activity> = stages.filterValues { it == stage }.keys

    fun signalLifecycleChange(stage: Stage, activity: Activity) {
        stages[activity] = stage
    }
}
