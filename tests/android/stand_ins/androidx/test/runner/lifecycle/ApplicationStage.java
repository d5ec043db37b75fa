package androidx.test.runner.lifecycle;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public enum ApplicationStage {
    PRE_ON_CREATE, CREATED
}
