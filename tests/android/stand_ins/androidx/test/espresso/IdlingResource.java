package androidx.test.espresso;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public interface IdlingResource {
    String getName();

    boolean isIdleNow();

    void registerIdleTransitionCallback(ResourceCallback callback);

    interface ResourceCallback {
        void onTransitionToIdle();
    }
}
