package org.pocketticket.demo.session

import org.pocketticket.textmodel.bundle.Bundle
import org.pocketticket.textmodel.bundle.Example

/** Texts to try. */
object Examples {
    private const val MOST = 12
    private val ORDINARY = Regex("[\\p{Alnum}\\p{Punct} ]{12,160}")

    /**
     * The bundle's own. Bundles from before they had any: of the known answers, which begin with traps for tokenizers,
     * those of a usual length in plain letters; without a label, because the bundle names none.
     */
    fun of(bundle: Bundle): List<Example> = bundle.manifest.examples.ifEmpty {
        bundle.golden.filter { known -> listOfNotNull(known.textA, known.textB).all { ordinary(it) } }
            .take(MOST).map { Example(it.textA, it.textB, null) }
    }

    private fun ordinary(text: String): Boolean = ORDINARY.matches(text) && text.count { it == ' ' } >= 2 && text == text.trim() &&
        text.count { it.isLetter() } > text.length / 2 && '[' !in text
}
