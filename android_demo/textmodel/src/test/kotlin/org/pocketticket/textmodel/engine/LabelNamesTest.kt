package org.pocketticket.textmodel.engine

import org.junit.Assert.assertEquals
import org.junit.Test

class LabelNamesTest {
    @Test
    fun names_of_data_sets_become_words() {
        val expected = mapOf(
            "add_reminder" to "Add reminder", "AddToPlaylist" to "Add to playlist", "not_entailment" to "Not entailment",
            "LOC" to "LOC", "person" to "Person", "B2B sales" to "B2B sales", "__x__" to "X", "_" to "_", "" to "",
            "naïveÄrger" to "Naïve ärger", "ärger_über" to "Ärger über",
        )
        assertEquals(expected, expected.mapValues { LabelNames.readable(it.key) })
    }
}
