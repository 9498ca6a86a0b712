package dev.terrace.core;

import java.util.ArrayDeque;
import java.util.Deque;

/** What has been opened so far, to be closed again if a later step fails. Not thread-safe. */
final class Opened {
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    /** Counts {@code part} in. */
    <T extends AutoCloseable> T and(T part) {
        parts.push(part);
        return part;
    }

    /** Closes everything, last opened first; what fails at that is told with {@code why}. */
    void closeBecause(RuntimeException why) {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                why.addSuppressed(e);
            }
        }
    }
}
