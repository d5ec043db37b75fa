package org.pocketticket.textmodel.engine

import java.util.Random
import kotlin.math.sqrt
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pocketticket.textmodel.TestBundles
import org.pocketticket.textmodel.TextModelError
import org.pocketticket.textmodel.bundle.Bundle

/** Vectors by the bundle's own program, and their search. */
class VectorIndexTest {
    private val random = Random(0)

    private fun vector(size: Int) = FloatArray(size) { random.nextGaussian().toFloat() }

    private fun cosine(a: FloatArray, b: FloatArray, size: Int): Float {
        fun dot(x: FloatArray, y: FloatArray) = (0 until size).sumOf { x[it].toDouble() * y[it] }
        return (dot(a, b) / sqrt(dot(a, a) * dot(b, b))).toFloat()
    }

    @Test
    fun the_nearest_are_found_in_order() {
        for (size in listOf(3, 64, 130)) {
            val (index, vectors) = VectorIndex(size) to List(500) { vector(size + 2) }
            vectors.forEachIndexed { place, it -> assertEquals(place, index.add(it)) }
            val query = vector(size)
            val found = index.search(query, 10)
            assertEquals(10, found.size)
            assertEquals(found.sortedByDescending { it.similarity }, found)
            for (hit in found) assertEquals(cosine(query, vectors[hit.place], size), hit.similarity, 0.02f)
            val best = vectors.indices.sortedByDescending { cosine(query, vectors[it], size) }.take(5)
            assertTrue(found.map { it.place }.containsAll(best))
        }
    }

    @Test
    fun the_length_of_a_vector_does_not_matter_and_equals_keep_their_order() {
        val index = VectorIndex(2)
        for (length in listOf(1f, 1000f, 0.001f)) index.add(floatArrayOf(3 * length, 4 * length))
        assertEquals(listOf(0, 1, 2), index.search(floatArrayOf(30f, 40f), 5).map { it.place })
        assertEquals(1f, index.search(floatArrayOf(3f, 4f), 1)[0].similarity, 0.001f)
    }

    @Test
    fun what_has_no_direction_or_another_size_is_refused() {
        val index = VectorIndex(2)
        for (wrong in listOf(floatArrayOf(0f, 0f), floatArrayOf(1f), floatArrayOf(Float.NaN, 1f))) {
            assertThrows(IllegalArgumentException::class.java) { index.add(wrong) }
        }
        assertEquals(listOf<Hit>(), index.search(floatArrayOf(1f, 0f), 3))
    }

    /** No time is asserted: it is printed, for those who want to know. */
    @Test
    fun ten_thousand_vectors_are_searched() {
        val index = VectorIndex(384)
        repeat(10_000) { index.add(vector(384)) }
        val times = List(60) {
            val query = vector(384)
            val began = System.nanoTime()
            assertEquals(10, index.search(query, 10).size)
            (System.nanoTime() - began) / 1e6
        }
        println("10,000 vectors of 384 numbers: %.2f ms a search".format(times.drop(20).sorted()[20]))
    }

    @Test
    fun embed_gives_the_known_vectors_with_the_manifests_prefix() {
        val bundle = Bundle.open(TestBundles.files("embedding"), TestBundles.scratch())
        TextModel(bundle, ExecuTorchProgram.load(bundle.model, 1)).use { model ->
            val info = bundle.manifest.task.vector!!
            assertEquals(listOf(128, 64) to "query: ", info.sizes to info.queryPrefix)
            val known = bundle.golden.first { it.textA.startsWith(info.passagePrefix) && it.textA.length > 20 }
            val text = known.textA.removePrefix(info.passagePrefix)
            assertArrayEquals(known.outputs[0], model.embed(text), bundle.manifest.tolerance)
            assertEquals(128, model.embed("anything", query = true).size)
            assertTrue(cosine(model.embed(text), model.embed(text, query = true), 128) < 0.9999f)
        }
    }

    @Test
    fun a_model_of_another_kind_gives_no_vectors() {
        val bundle = Bundle.open(TestBundles.files("classification"), TestBundles.scratch())
        TextModel(bundle, ExecuTorchProgram.load(bundle.model, 1)).use { model ->
            val error = assertThrows(TextModelError::class.java) { model.embed("a") }
            assertTrue(error.message!!.contains("gives no vectors"))
        }
    }
}
