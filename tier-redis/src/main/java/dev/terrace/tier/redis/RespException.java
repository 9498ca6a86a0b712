package dev.terrace.tier.redis;

import java.io.IOException;

/** The server answered with an error; its text is the message. */
final class RespException extends IOException {
    private static final long serialVersionUID = 1L;

    RespException(String error) {
        super(error.length() > 300 ? error.substring(0, 300) + "..." : error);
    }

    /** Whether the error is of the given kind, its first word. */
    boolean is(String kind) {
        String text = String.valueOf(getMessage());
        return text.equals(kind) || text.startsWith(kind + " ");
    }
}
