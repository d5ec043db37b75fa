package org.pocketticket.demo.ui

import android.app.Activity
import android.graphics.Rect
import android.os.Build
import android.view.View
import android.view.WindowInsets

/**
 * Draws behind the system's bars, as Android 15 and newer do anyway, and keeps what can be touched out from under them: the
 * screens below the status bar, the tabs above the navigation bar. While the keyboard is there, the tabs make room.
 */
class Edges(private val activity: Activity, root: View, private val screens: View, private val tabs: View) {
    init {
        drawBehindBars(activity.resources.getBoolean(org.pocketticket.demo.R.bool.light))
        root.setOnApplyWindowInsetsListener { _, insets -> insets.also(::apply) }
    }

    @Suppress("DEPRECATION") // their successors are younger than the oldest Android that the app runs on
    private fun drawBehindBars(light: Boolean) {
        var flags = View.SYSTEM_UI_FLAG_LAYOUT_STABLE or View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or
            View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
        if (light) flags = flags or View.SYSTEM_UI_FLAG_LIGHT_STATUS_BAR or View.SYSTEM_UI_FLAG_LIGHT_NAVIGATION_BAR
        activity.window.decorView.systemUiVisibility = flags
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) activity.window.setDecorFitsSystemWindows(false)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) activity.window.isNavigationBarContrastEnforced = false
    }

    private fun apply(insets: WindowInsets) {
        val bars = bars(insets)
        val keyboard = keyboard(insets)
        tabs.visibility = if (keyboard > 0) View.GONE else View.VISIBLE
        screens.setPadding(bars.left, bars.top, bars.right, keyboard)
        tabs.setPadding(bars.left, 0, bars.right, bars.bottom)
    }

    @Suppress("DEPRECATION")
    private fun bars(insets: WindowInsets): Rect = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        val all = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
        Rect(all.left, all.top, all.right, all.bottom)
    } else {
        val bottom = if (keyboard(insets) > 0) 0 else insets.systemWindowInsetBottom
        Rect(insets.systemWindowInsetLeft, insets.systemWindowInsetTop, insets.systemWindowInsetRight, bottom)
    }

    /** The keyboard's height; 0 while it is away. Before Android 11 it is what goes beyond any navigation bar. */
    @Suppress("DEPRECATION")
    private fun keyboard(insets: WindowInsets): Int = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        insets.getInsets(WindowInsets.Type.ime()).bottom
    } else {
        insets.systemWindowInsetBottom.takeIf { it > insets.stableInsetBottom } ?: 0
    }
}
