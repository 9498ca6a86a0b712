package dev.terrace.tier.redis;

import dev.terrace.api.TerraceException;
import dev.terrace.spi.Unavailability;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.redisson.RedissonShutdownException;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.RedisNodeNotFoundException;
import org.redisson.client.RedisOutOfMemoryException;
import org.redisson.client.RedisReadonlyException;
import org.redisson.client.RedisTimeoutException;

/** What Redisson's exceptions mean to us. */
final class Failures {
    /** How Redisson says that something else went wrong. */
    private static final String WRAPPING = "Unexpected exception while processing command";

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
        if (root instanceof OverloadedException) {
            return Unavailability.OVERLOADED;
        }
        if (root instanceof RedisTimeoutException || root instanceof TimeoutException) {
            return Unavailability.TIMEOUT;
        }
        for (Throwable t = root; t != null; t = t.getCause()) {
            // Redisson wraps a refused connection in its general exception.
            if (t instanceof RedisConnectionException
                    || t instanceof RedisNodeNotFoundException
                    || t instanceof IOException
                    // A command that was under way when its connection was given up.
                    || t instanceof CancellationException) {
                return Unavailability.DISCONNECTED;
            }
        }
        if (root instanceof RedissonShutdownException) {
            return Unavailability.CLOSED;
        }
        return Unavailability.ERROR;
    }

    /** True when the server answers but takes no writes: memory full, a replica, a disk that fails. */
    static boolean refusesWrites(Throwable failure) {
        Throwable root = root(failure);
        return root instanceof RedisOutOfMemoryException
                || root instanceof RedisReadonlyException
                || String.valueOf(root.getMessage()).contains("MISCONF");
    }

    /** One line for people; names the permission or password that is missing, never the password. */
    static String describe(Throwable failure) {
        if (failure instanceof TerraceException || root(failure) instanceof OverloadedException) {
            return String.valueOf(root(failure).getMessage());
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
            if (t instanceof RedisOutOfMemoryException || upper.contains("OOM COMMAND NOT ALLOWED")) {
                return "Redis is full and takes no writes (OOM): raise its maxmemory or give it an eviction policy";
            }
            if (upper.contains("WRONGTYPE")) {
                return "another program keeps something else under a key of ours (WRONGTYPE): remove that, or use another"
                        + " distributed_cache.key_prefix";
            }
            if (upper.contains("CAN'T DECODE") || upper.contains("DECODEREXCEPTION")) {
                return "what listens there is not a Redis server: its answer cannot be read";
            }
            if (upper.contains("NOPERM")) {
                return "the Redis user lacks a permission (NOPERM): " + firstLine(message);
            }
        }
        String tls = describeTls(failure);
        if (tls != null) {
            return tls;
        }
        Throwable root = root(failure);
        if (String.valueOf(root.getMessage()).startsWith(WRAPPING) && root.getCause() != null) {
            return describe(root.getCause());
        }
        return root.getClass().getSimpleName() + ": " + firstLine(String.valueOf(root.getMessage()));
    }

    /** What the handshake was refused for, which lies deepest; null when it was not that. */
    private static @Nullable String describeTls(Throwable failure) {
        String why = null;
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof SSLException || t instanceof GeneralSecurityException) {
                why = firstLine(String.valueOf(t.getMessage()));
            }
        }
        return why == null
                ? null
                : "TLS with Redis failed (" + why + "): check the certificates on both sides and distributed_cache.tls";
    }

    /** The first line of a message, without the command that Redisson adds. */
    static String firstLine(String text) {
        // Redisson adds the command with its arguments, which are keys and values: not for logs.
        String line = text.split("\\. channel: \\[|, params: \\[|, command: ", 2)[0]
                .lines()
                .findFirst()
                .orElse("");
        return line.length() > 300 ? line.substring(0, 300) + "..." : line;
    }
}
