package dev.terrace.testkit.blob;

/** What becomes of a {@link BlobStep}. */
public enum BlobFault {
    /** It succeeds. */
    NONE,
    /** It has no effect and the caller hears UNAVAILABLE. A write leaves an unfinished upload behind. */
    FAILS,
    /** It takes effect, and the caller hears UNAVAILABLE. */
    TAKES_EFFECT_AND_FAILS,
    /** The process dies before it. A write leaves an unfinished upload behind. */
    CRASHES,
    /** The process dies right after it. */
    TAKES_EFFECT_AND_CRASHES,
    /** Reading: the stream breaks halfway. Anything else: as {@link #FAILS}. */
    BREAKS_HALFWAY;

    /** Decides about each step, on the caller's thread, before it; may also wait there, so that a test can interleave processes. */
    public interface Plan {
        /** What becomes of it. */
        BlobFault at(BlobStep step);
    }

    boolean takesEffect() {
        return this == NONE || this == TAKES_EFFECT_AND_FAILS || this == TAKES_EFFECT_AND_CRASHES;
    }

    boolean crashes() {
        return this == CRASHES || this == TAKES_EFFECT_AND_CRASHES;
    }
}
