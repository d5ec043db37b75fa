package androidx.test.espresso;

import android.os.Looper;
import java.util.ArrayList;
import java.util.Collection;

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
public final class IdlingRegistry {
    private static final IdlingRegistry ONLY = new IdlingRegistry();

    public static IdlingRegistry getInstance() {
        return ONLY;
    }

    public Collection<IdlingResource> getResources() {
        return new ArrayList<>();
    }

    public Collection<Looper> getLoopers() {
        return new ArrayList<>();
    }
}
