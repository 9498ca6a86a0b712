package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/**
 * The origin did not take a write that goes through to it. Either it provably has not, and the cache is as it was; or whether it has
 * is {@linkplain #isUnknown unknown}, and the cache holds nothing for the key, so that the next read asks the origin.
 */
public final class OriginWriteException extends TerraceException {
    private static final long serialVersionUID = 1L;

    private final boolean unknown;

    /**
     * @param problem names the cache and what the origin said
     * @param hint the way out
     * @param cause what the writer threw; null when it outlived its timeout
     * @param unknown whether the origin may have taken it
     */
    public OriginWriteException(String problem, String hint, @Nullable Throwable cause, boolean unknown) {
        super(problem, hint, cause);
        this.unknown = unknown;
    }

    /** True when the origin may have taken it. */
    public boolean isUnknown() {
        return unknown;
    }
}
