package dev.terrace.testkit.history;

/** How an operation ended, as far as its caller knows. */
public enum Outcome {
    /** It was carried out; a conditional write whose condition did not hold is carried out, too. */
    OK,
    /** It was proven not to have been carried out, and never will be. */
    FAIL,
    /** It may have been carried out, may be carried out later, or never. A timeout is this. */
    UNKNOWN
}
