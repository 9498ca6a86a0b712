package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/** A value could not be turned into bytes, or bytes into a value. Nothing was changed. Fix the codec or the value. */
public final class CodecException extends TerraceException {
    private static final long serialVersionUID = 1L;

    /** See {@link TerraceException}. */
    public CodecException(String problem, String hint, @Nullable Throwable cause) {
        super(problem, hint, cause);
    }
}
