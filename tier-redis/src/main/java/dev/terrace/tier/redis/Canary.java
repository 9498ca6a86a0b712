package dev.terrace.tier.redis;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.redisson.client.protocol.RedisCommand;
import org.redisson.client.protocol.convertor.BooleanNotNullReplayConvertor;

/**
 * Tries a server with a value of its own, on the lanes that entries take: a write, and reading it back. The key is no
 * entry's, one per process, and expires soon after the last try. Thread-safe.
 */
final class Canary {
    private static final RedisCommand<Boolean> SET = new RedisCommand<>("SET", new BooleanNotNullReplayConvertor());
    private static final String KEPT_MILLIS = "30000";

    private final String key;
    private final AtomicLong sung = new AtomicLong();

    Canary(RedisKeys keys) {
        this.key = keys.canary(UUID.randomUUID().toString());
    }

    /** Empty when what was written came back; fails as commands do. */
    CompletionStage<String> sing(Lanes lanes) {
        byte[] song = Long.toString(sung.incrementAndGet()).getBytes(StandardCharsets.US_ASCII);
        return lanes.submit(new Command<Boolean>(key, SET, key, song, "PX", KEPT_MILLIS))
                .thenCompose(stored -> lanes.submit(Lanes.get(key)))
                // Two tries may be under way at once when one was late: what came back need not be the own one.
                .thenApply(echo -> echo == null || echo.length == 0 || Arrays.equals(echo, new byte[] {0})
                        ? "what was written is not there"
                        : "");
    }
}
