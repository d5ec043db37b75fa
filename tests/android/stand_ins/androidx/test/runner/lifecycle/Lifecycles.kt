package androidx.test.runner.lifecycle

import android.app.Activity

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
enum class ApplicationStage { PRE_ON_CREATE, CREATED }

enum class Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }

interface ApplicationLifecycleMonitor

interface ActivityLifecycleCallback {
    fun onActivityLifecycleChanged(activity: Activity?, stage: Stage?)
}

interface ActivityLifecycleMonitor {
    fun addLifecycleCallback(callback: ActivityLifecycleCallback?)

    fun removeLifecycleCallback(callback: ActivityLifecycleCallback?)

    fun getLifecycleStageOf(activity: Activity?): Stage?

    fun getActivitiesInStage(stage: Stage?): Collection<Activity>
}

object ActivityLifecycleMonitorRegistry {
    private var current: ActivityLifecycleMonitor? = null

    @JvmStatic
    fun registerInstance(monitor: ActivityLifecycleMonitor?) {
        current = monitor
    }

    @JvmStatic
    fun getInstance(): ActivityLifecycleMonitor? = current
}

object ApplicationLifecycleMonitorRegistry {
    private var current: ApplicationLifecycleMonitor? = null

    @JvmStatic
    fun registerInstance(monitor: ApplicationLifecycleMonitor?) {
        current = monitor
    }

    @JvmStatic
    fun getInstance(): ApplicationLifecycleMonitor? = current
}
