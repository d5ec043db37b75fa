package androidx.test.runner.lifecycle;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public interface ApplicationLifecycleMonitor {
}
