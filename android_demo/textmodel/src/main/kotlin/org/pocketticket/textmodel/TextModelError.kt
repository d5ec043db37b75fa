package org.pocketticket.textmodel

/** Something went wrong that a person should read: the message is one sentence for the screen, `code` is for programs. */
class TextModelError @JvmOverloads constructor(
    sentence: String,
    cause: Throwable? = null,
    val code: Code = Code.BUNDLE_DAMAGED,
) : Exception(sentence, cause) {
    enum class Code {
        /** A file of the bundle is not there. */
        BUNDLE_MISSING,

        /** A file of the bundle is not what its manifest says. */
        BUNDLE_DAMAGED,

        /** The bundle is sound, but this version of the library can't use it. */
        BUNDLE_UNSUPPORTED,

        /** The model could not be unpacked: mostly too little free space. */
        STORAGE,

        /** There is no ExecuTorch library for this processor. */
        NO_RUNTIME,

        /** ExecuTorch refused the program, or the program failed. */
        PROGRAM,

        /** The model gives other answers here than where it was made. */
        SELF_TEST,

        /** The text can't be given to the model. */
        INPUT,

        /** The call is not possible now, such as after `close`. */
        STATE,
    }
}
