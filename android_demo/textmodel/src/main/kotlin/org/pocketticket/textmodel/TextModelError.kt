package org.pocketticket.textmodel

/** Something went wrong that the user should read: the message is one sentence for the screen. */
class TextModelError(sentence: String, cause: Throwable? = null) : Exception(sentence, cause)
