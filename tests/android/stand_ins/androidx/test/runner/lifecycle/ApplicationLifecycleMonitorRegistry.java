package androidx.test.runner.lifecycle;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class ApplicationLifecycleMonitorRegistry {
    private static ApplicationLifecycleMonitor current;

    public static void registerInstance(ApplicationLifecycleMonitor monitor) {
        current = monitor;
    }

    public static ApplicationLifecycleMonitor getInstance() {
        return current;
    }
}
