package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/**
 * The loader failed or took too long, and nothing stale could be served. The cause is what the loader threw; it is null
 * when the loader outlived its timeout. Callers that joined one load share one cause.
 */
public class LoaderException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public LoaderException(String problem, String hint, @Nullable Throwable cause) {
        super(problem, hint, cause);
    }
}
