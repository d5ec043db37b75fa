package androidx.test.espresso

import android.os.Looper

/** Stands in for androidx.test, which only Google's repository has: what Robolectric calls, and no more. */
interface IdlingResource {
    fun getName(): String?

    fun isIdleNow(): Boolean

    fun registerIdleTransitionCallback(callback: ResourceCallback?)

    interface ResourceCallback {
        fun onTransitionToIdle()
    }
}

class IdlingRegistry private constructor() {
    fun getResources(): Collection<IdlingResource> = emptyList()

    fun getLoopers(): Collection<Looper> = emptyList()

    companion object {
        private val ONLY = IdlingRegistry()

        @JvmStatic
        fun getInstance(): IdlingRegistry = ONLY
    }
}
