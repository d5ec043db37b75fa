package androidx.test.runner.lifecycle;

import android.app.Activity;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public interface ActivityLifecycleCallback {
    void onActivityLifecycleChanged(Activity activity, Stage stage);
}
