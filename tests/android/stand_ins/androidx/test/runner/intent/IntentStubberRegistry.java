package androidx.test.runner.intent;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class IntentStubberRegistry {
    public static IntentStubber getInstance() {
        return null;
    }

    public static boolean isLoaded() {
        return false;
    }
}
