package org.pocketticket.demo

/** Something went wrong that the user should read: the message is one sentence for the screen. */
class DemoError(sentence: String, cause: Throwable? = null) : Exception(sentence, cause)
