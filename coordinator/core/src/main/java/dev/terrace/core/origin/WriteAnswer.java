package dev.terrace.core.origin;

import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.UnknownWriteException;
import java.io.InterruptedIOException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What the origin made of a write.
 *
 * @param kind whether it has it
 * @param why what the writer threw; null when it took the write, or outlived its timeout
 * @param reason the same for people; empty when it took the write
 */
public record WriteAnswer(Kind kind, @Nullable Throwable why, String reason) {
    /** It has it. */
    public static final WriteAnswer TAKEN = new WriteAnswer(Kind.TAKEN, null, "");

    private static final int LONGEST_REASON = 300;

    /** Whether the origin has a write. */
    public enum Kind {
        /** It has it, or something newer. */
        TAKEN,
        /** It has not, and may take it later. */
        FAILED,
        /** It may have it or not. */
        UNKNOWN,
        /** It has not and never will. */
        REJECTED
    }

    /** What {@code thrown} says, see {@link dev.terrace.api.Writer}. */
    public static WriteAnswer of(Throwable thrown) {
        Throwable why = thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        String text = why.getMessage() == null
                ? why.getClass().getSimpleName()
                : why.getClass().getSimpleName() + ": " + why.getMessage();
        return new WriteAnswer(
                kind(why), why, text.length() > LONGEST_REASON ? text.substring(0, LONGEST_REASON) + "..." : text);
    }

    /** It said nothing in time. */
    static WriteAnswer late(long timeoutMillis) {
        return new WriteAnswer(Kind.UNKNOWN, null, "no answer within " + timeoutMillis + " ms");
    }

    private static Kind kind(Throwable why) {
        if (why instanceof RejectedWriteException) {
            return Kind.REJECTED;
        }
        boolean unknown = why instanceof UnknownWriteException
                || why instanceof InterruptedIOException
                || why instanceof HttpTimeoutException && !(why instanceof HttpConnectTimeoutException)
                || why instanceof TimeoutException
                || why instanceof InterruptedException
                || why instanceof CancellationException;
        return unknown ? Kind.UNKNOWN : Kind.FAILED;
    }
}
