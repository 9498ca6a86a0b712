package dev.terrace.api;

/** The coordinator was closed, before the call or during it. */
public final class ClosedException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** Names what was closed. */
    public ClosedException(String what) {
        super(what + " is closed", "open a new one", null);
    }
}
