package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/**
 * The surroundings cannot work as they are: bad settings, missing JVM flags, a folder in use or of another program, a
 * wrong key. Nothing was damaged. Fix the setup; the message says how.
 */
public final class SetupException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public SetupException(String problem, String hint) {
        super(problem, hint, null);
    }

    /** See {@link TerraceException}. */
    public SetupException(String problem, String hint, @Nullable Throwable cause) {
        super(problem, hint, cause);
    }
}
