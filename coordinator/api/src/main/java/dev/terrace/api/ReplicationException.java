package dev.terrace.api;

/**
 * Too few copies acknowledged a write. It has either provably not happened, or whether it happened is {@linkplain #isUnknown
 * unknown}: it may have, may be lost again, or may happen yet; then read the value before trying again.
 */
public final class ReplicationException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    private final transient WriteReceipt receipt;
    private final boolean unknown;

    /**
     * @param problem names the cache and what was missing
     * @param hint the way out
     * @param receipt how far the write came
     * @param unknown false when it has provably not happened
     */
    public ReplicationException(String problem, String hint, WriteReceipt receipt, boolean unknown) {
        super(problem, hint);
        this.receipt = receipt;
        this.unknown = unknown;
    }

    /** How far the write came; {@link WriteReceipt#applied} is false. */
    public WriteReceipt receipt() {
        return receipt;
    }

    /** True when the write may have happened; false when it provably has not. */
    public boolean isUnknown() {
        return unknown;
    }
}
