package dev.terrace.config;

/** A text that must not be printed. Equal when the texts are. */
public final class Secret {
    private final String value;

    /** Wraps the text. */
    public Secret(String value) {
        this.value = value;
    }

    /** The text itself; keep it out of logs and messages. */
    public String reveal() {
        return value;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret that && value.equals(that.value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    /** A mask. */
    @Override
    public String toString() {
        return "****";
    }
}
