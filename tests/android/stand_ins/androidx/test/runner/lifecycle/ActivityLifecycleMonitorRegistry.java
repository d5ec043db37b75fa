package androidx.test.runner.lifecycle;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class ActivityLifecycleMonitorRegistry {
    private static ActivityLifecycleMonitor current;

    public static void registerInstance(ActivityLifecycleMonitor monitor) {
        current = monitor;
    }

    public static ActivityLifecycleMonitor getInstance() {
        return current;
    }
}
