package org.pocketticket.textmodel.engine

/** What a model says about a text, in the user's terms. Positions are UTF-16 offsets in the text as typed. */
sealed interface Answer {
    /** Most probable first. */
    data class Classes(val scores: List<Score>) : Answer

    /** A text may have several labels or none; each group has the most probable first. */
    data class Labels(val chosen: List<Score>, val others: List<Score>) : Answer

    /** `fraction`: place on the task's scale, 0 to 1, null without a scale. */
    data class Value(val value: Float, val fraction: Float?) : Answer

    data class Entities(val text: String, val entities: List<Entity>) : Answer

    /** A vector for each text; two texts mean the same where their vectors have nearly the same direction. */
    class Vector(val numbers: FloatArray) : Answer

    /** `span` is null if the passage does not answer the question. */
    data class Passage(val text: String, val span: Entity?) : Answer
}

data class Score(val label: String, val probability: Float)

data class Entity(val start: Int, val end: Int, val label: String, val probability: Float)
