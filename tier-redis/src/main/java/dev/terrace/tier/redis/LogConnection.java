package dev.terrace.tier.redis;

import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** A connection to the server that holds the log, and what the log needs of it. For one thread; {@link #close} from any. */
final class LogConnection implements AutoCloseable {
    private final RespConnection connection;
    private final LogKeys keys;
    private final String run;
    private final String keep;
    private final int timeoutMillis;

    LogConnection(RespConnection connection, LogKeys keys, String run, int keepEntries, int timeoutMillis) {
        this.connection = connection;
        this.keys = keys;
        this.run = run;
        this.keep = Integer.toString(keepEntries);
        this.timeoutMillis = timeoutMillis;
    }

    /** Where the log stands; begins it anew when this run of the server has not kept it from its beginning. */
    LogHead head() throws IOException {
        byte[] random = new byte[8];
        ThreadLocalRandom.current().nextBytes(random);
        return LogHead.of(connection.call(
                timeoutMillis,
                "EVAL",
                Scripts.LOG_BEGIN.text(),
                "2",
                keys.stream(),
                keys.head(),
                run,
                HexFormat.of().formatHex(random),
                keep));
    }

    /** The position of the last notice; null when the log is no longer {@code identity}. */
    @Nullable
    Long append(String identity, int notices, byte[] payload) throws IOException {
        Object answer;
        try {
            answer = append("EVALSHA", Scripts.LOG_APPEND.digest(), identity, notices, payload);
        } catch (RespException e) {
            if (!e.is("NOSCRIPT")) {
                throw e;
            }
            // The fence is the identity, not the script. EVAL and not SCRIPT LOAD, which old servers pass on to
            // replicas.
            answer = append("EVAL", Scripts.LOG_APPEND.text(), identity, notices, payload);
        }
        String position = RespConnection.textOf(answer);
        if (position == null) {
            throw new IOException("the log's answer cannot be read");
        }
        return position.equals("anew") ? null : Long.valueOf(position);
    }

    private @Nullable Object append(String how, String script, String identity, int notices, byte[] payload)
            throws IOException {
        return connection.call(
                timeoutMillis, how, script, "2", keys.stream(), keys.head(), identity, notices, payload, keep);
    }

    /** The entries after {@code from}, at most {@code most}; waits for one, if there is none, up to {@code blockMillis}. */
    List<LogEntry> read(String from, int most, int blockMillis) throws IOException {
        // A block of 0 would be for ever.
        Object answer = blockMillis > 0
                ? connection.call(
                        blockMillis + timeoutMillis,
                        "XREAD",
                        "COUNT",
                        most,
                        "BLOCK",
                        blockMillis,
                        "STREAMS",
                        keys.stream(),
                        from)
                : connection.call(timeoutMillis, "XREAD", "COUNT", most, "STREAMS", keys.stream(), from);
        return LogEntry.all(answer);
    }

    @Override
    public void close() {
        connection.close();
    }
}
