package dev.terrace.tier.redis;

import dev.terrace.api.TerraceException;
import dev.terrace.spi.Unavailability;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.redisson.RedissonShutdownException;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.RedisNodeNotFoundException;
import org.redisson.client.RedisTimeoutException;

/** What Redisson's exceptions mean to us. */
final class Failures {
    private Failures() {}

    static Throwable root(Throwable failure) {
        Throwable root = failure;
        while ((root instanceof CompletionException || root instanceof ExecutionException) && root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    static boolean isScriptMissing(Throwable failure) {
        return root(failure) instanceof RedisNoScriptException;
    }

    static Unavailability cause(Throwable failure) {
        Throwable root = root(failure);
        if (root instanceof RedisTimeoutException || root instanceof TimeoutException) {
            return Unavailability.TIMEOUT;
        }
        if (root instanceof RedisConnectionException
                || root instanceof RedisNodeNotFoundException
                || root instanceof IOException) {
            return Unavailability.DISCONNECTED;
        }
        if (root instanceof RedissonShutdownException || root instanceof CancellationException) {
            return Unavailability.CLOSED;
        }
        return Unavailability.ERROR;
    }

    /** One line for people; names the permission or password that is missing, never the password. */
    static String describe(Throwable failure) {
        if (failure instanceof TerraceException ours) {
            return String.valueOf(ours.getMessage());
        }
        for (Throwable t = failure; t != null; t = t.getCause()) {
            String message = String.valueOf(t.getMessage());
            String upper = message.toUpperCase(Locale.ROOT);
            if (upper.contains("WRONGPASS")
                    || upper.contains("INVALID PASSWORD")
                    || upper.contains("INVALID USERNAME")) {
                return "Redis refused the credentials (WRONGPASS): check distributed_cache.username and password";
            }
            if (upper.contains("NOAUTH")) {
                return "Redis asks for credentials (NOAUTH): set distributed_cache.password";
            }
            if (upper.contains("NOPERM")) {
                return "the Redis user lacks a permission (NOPERM): " + firstLine(message);
            }
        }
        Throwable root = root(failure);
        return root.getClass().getSimpleName() + ": " + firstLine(String.valueOf(root.getMessage()));
    }

    private static String firstLine(String text) {
        String line = text.lines().findFirst().orElse("");
        return line.length() > 300 ? line.substring(0, 300) + "..." : line;
    }
}
