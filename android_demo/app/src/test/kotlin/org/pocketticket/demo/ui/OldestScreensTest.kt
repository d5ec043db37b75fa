package org.pocketticket.demo.ui

import android.view.View
import android.view.WindowManager
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.pocketticket.demo.R
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The screens on Android 8, the oldest that the app runs on. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [26], application = ScreensApp::class, qualifiers = "en-rUS-w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class OldestScreensTest : ScreenActions("classification", "play the new song by miley cyrus") {
    @Test
    @Suppress("DEPRECATION")
    fun every_screen_and_readable_bars_in_light_and_dark() {
        everyScreen("-oldest-light")
        val light = View.SYSTEM_UI_FLAG_LIGHT_STATUS_BAR or View.SYSTEM_UI_FLAG_LIGHT_NAVIGATION_BAR
        assertTrue(activity.window.decorView.systemUiVisibility and light == light)
        assertTrue("the navigation bar is black", activity.window.navigationBarColor == 0)
        choose(R.id.tab_model)
        activity.onBackPressed()
        assertTrue(find<View>(R.id.screen_classify).isShown)
        assertTrue(activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON == 0)
        RuntimeEnvironment.setQualifiers("+night")
        everyScreen("-oldest-dark")
        assertTrue(activity.window.decorView.systemUiVisibility and light == 0)
    }
}
