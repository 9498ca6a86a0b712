package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/** Base of everything Terrace throws. Subtypes differ by what helps: fix the call, fix the setup, or try later. */
public class TerraceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String hint;

    /**
     * @param problem names the thing and the limit, one sentence without a full stop
     * @param hint the way out; empty when there is none
     * @param cause what lies beneath, or null
     */
    protected TerraceException(String problem, String hint, @Nullable Throwable cause) {
        super(hint.isEmpty() ? problem : problem + "; " + hint, cause);
        this.hint = hint;
    }

    /** The way out, in words for a person; empty when there is none. */
    public String hint() {
        return hint;
    }
}
