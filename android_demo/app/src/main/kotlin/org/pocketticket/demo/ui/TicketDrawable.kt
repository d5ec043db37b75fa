package org.pocketticket.demo.ui

import android.graphics.Canvas
import android.graphics.ColorFilter
import android.graphics.DashPathEffect
import android.graphics.Paint
import android.graphics.Path
import android.graphics.PixelFormat
import android.graphics.RectF
import android.graphics.drawable.Drawable

/** A ticket: a card with a bite on either side, and a dashed line between them at `fold` pixels from its top. */
class TicketDrawable(surface: Int, edge: Int, line: Int, private val dp: Float, private val fold: () -> Int) : Drawable() {
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = surface }
    private val top = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = edge }
    private val dashes = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = line
        style = Paint.Style.STROKE
        strokeWidth = 1.5f * dp
        pathEffect = DashPathEffect(floatArrayOf(5 * dp, 5 * dp), 0f)
    }

    override fun draw(canvas: Canvas) {
        val box = RectF(bounds)
        val y = box.top + fold()
        val bite = 10 * dp
        val shape = Path().apply { addRoundRect(box, 16 * dp, 16 * dp, Path.Direction.CW) }
        for (x in listOf(box.left, box.right)) {
            shape.op(Path().apply { addCircle(x, y, bite, Path.Direction.CW) }, Path.Op.DIFFERENCE)
        }
        canvas.drawPath(shape, fill)
        canvas.save()
        canvas.clipPath(shape)
        canvas.drawRect(box.left, box.top, box.right, box.top + 5 * dp, top)
        canvas.restore()
        canvas.drawLine(box.left + bite + 8 * dp, y, box.right - bite - 8 * dp, y, dashes)
    }

    override fun setAlpha(alpha: Int) = Unit

    override fun setColorFilter(colorFilter: ColorFilter?) = Unit

    @Deprecated("Android no longer asks for it", ReplaceWith("PixelFormat.TRANSLUCENT"))
    override fun getOpacity(): Int = PixelFormat.TRANSLUCENT
}
