package dev.terrace.api;

/** The calling thread was interrupted while it waited. Its interrupt flag is set again; the work goes on for others. */
public final class InterruptedCallException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** Names what was being waited for. */
    public InterruptedCallException(String what, InterruptedException cause) {
        super("interrupted while waiting for " + what, "", cause);
    }
}
