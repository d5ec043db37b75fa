package androidx.test.runner.intent;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class IntentMonitorRegistry {
    public static void registerInstance(IntentMonitor monitor) {
    }
}
