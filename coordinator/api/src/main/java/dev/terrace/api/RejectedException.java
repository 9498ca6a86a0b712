package dev.terrace.api;

import java.time.Duration;

/** Refused at once, to protect what is left: nothing was done, and trying again before {@link #retryAfter} is in vain. */
public final class RejectedException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;

    /**
     * @param problem names what is refused and why
     * @param retryAfter when trying again may help; not negative
     */
    public RejectedException(String problem, Duration retryAfter) {
        super(problem, "try again in " + Math.max(1, retryAfter.toMillis()) + " ms");
        this.retryAfter = retryAfter;
    }

    /** When trying again may help. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
