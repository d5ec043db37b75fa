package org.pocketticket.textmodel.engine

/** Names of labels as data sets write them, for people. */
object LabelNames {
    private val JOINED = Regex("(?<=\\p{Ll})(?=\\p{Lu})")
    private val BREAKS = Regex("[_\\s]+")

    /** "add_reminder" and "AddReminder" → "Add reminder"; "LOC" and "B2B sales" stay as they are. */
    @JvmStatic
    fun readable(label: String): String {
        val words = label.replace(JOINED, " ").split(BREAKS).filter { it.isNotEmpty() }
        if (words.isEmpty()) return label
        val quiet = words.map { if (it.drop(1).any { c -> c.isUpperCase() }) it else it.lowercase() }
        return quiet.joinToString(" ").replaceFirstChar { it.uppercase() }
    }
}
