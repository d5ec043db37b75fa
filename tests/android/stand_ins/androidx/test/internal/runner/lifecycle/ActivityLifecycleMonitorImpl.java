package androidx.test.internal.runner.lifecycle;

import android.app.Activity;
import androidx.test.runner.lifecycle.ActivityLifecycleCallback;
import androidx.test.runner.lifecycle.ActivityLifecycleMonitor;
import androidx.test.runner.lifecycle.Stage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class ActivityLifecycleMonitorImpl implements ActivityLifecycleMonitor {
    private final Map<Activity, Stage> stages = new WeakHashMap<>();

    public ActivityLifecycleMonitorImpl() {
    }

    public ActivityLifecycleMonitorImpl(boolean declawThreadCheck) {
    }

    public void addLifecycleCallback(ActivityLifecycleCallback callback) {
    }

    public void removeLifecycleCallback(ActivityLifecycleCallback callback) {
    }

    public Stage getLifecycleStageOf(Activity activity) {
        return stages.get(activity);
    }

    public Collection<Activity> getActivitiesInStage(Stage stage) {
        List<Activity> found = new ArrayList<>();
        stages.forEach((activity, its) -> {
            if (its == stage) {
                found.add(activity);
            }
        });
        return found;
    }

    public void signalLifecycleChange(Stage stage, Activity activity) {
        stages.put(activity, stage);
    }
}
