package dev.terrace.config;

/** What a value refers to is not there or no good. Becomes a {@link Problem}; never leaves the package. */
final class Unusable extends Exception {
    private static final long serialVersionUID = 1L;

    private final String reason;

    /** {@code reason} continues a sentence that begins with the setting, and quotes no content. */
    Unusable(String reason) {
        super(reason, null, false, false);
        this.reason = reason;
    }

    String reason() {
        return reason;
    }
}
