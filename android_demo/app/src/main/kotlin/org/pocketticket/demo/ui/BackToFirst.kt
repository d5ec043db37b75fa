package org.pocketticket.demo.ui

import android.app.Activity
import android.os.Build
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

/**
 * Back leads from another screen to the first one. Only then is a callback registered, so that on the first screen Android
 * shows where its own back leads while the finger is still moving (Android 13 and newer).
 */
class BackToFirst(private val activity: Activity, private val goToFirst: () -> Unit) {
    private var callback: Any? = null

    /** To be called whenever a screen is chosen. */
    fun away(isAway: Boolean) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU || isAway == (callback != null)) return
        val dispatcher = activity.onBackInvokedDispatcher
        if (isAway) {
            val back = OnBackInvokedCallback { goToFirst() }
            dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, back)
            callback = back
        } else {
            dispatcher.unregisterOnBackInvokedCallback(callback as OnBackInvokedCallback)
            callback = null
        }
    }
}
