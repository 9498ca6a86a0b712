package dev.terrace.node.storm;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;

/**
 * A cache node in a process of its own, so that it can be killed and frozen like one. Opens the settings file it is given and
 * carries out {@link Requests}; and {@code clock MILLIS}, which adds so much to its wall clock.
 */
final class StormNode {
    /** Follows where a write is, when other nodes are sure to hear of it. */
    static final String ANNOUNCED = "announced";

    /** The cache whose reads ask a majority of the zones, whatever is kept on the node. */
    static final String REGISTER = "register";

    private final CacheCoordinator coordinator;
    private final SettableClock clock;

    private StormNode(CacheCoordinator coordinator, SettableClock clock) {
        this.coordinator = coordinator;
        this.clock = clock;
    }

    /** The machine's clock, or one that is wrong. */
    private static final class SettableClock implements InstantSource {
        private volatile long offsetMillis;

        @Override
        public Instant instant() {
            return InstantSource.system().instant().plusMillis(offsetMillis);
        }

        @Override
        public long millis() {
            return InstantSource.system().millis() + offsetMillis;
        }
    }

    /** Runs until standard input ends. */
    public static void main(String[] arguments) throws Exception {
        Requests.serve(() -> {
            SettableClock clock = new SettableClock();
            CacheCoordinator coordinator = CacheCoordinator.builder()
                    .settings(
                            SettingsLoader.read(Path.of(arguments[0]), Map.of()).settings())
                    .clock(clock)
                    .build();
            return new Requests.Store(new StormNode(coordinator, clock)::carryOut, coordinator);
        });
    }

    private String carryOut(String[] words) {
        if (words[1].equals("clock")) {
            clock.offsetMillis = Long.parseLong(words[2]);
            return "";
        }
        try {
            return carryOut(words, words[3]);
        } catch (ReplicationException e) {
            throw e.isUnknown() ? e : new Requests.NotExecuted(e.getMessage());
        }
    }

    private String carryOut(String[] words, String key) {
        Cache<String, String> cache = coordinator.cache(words[2], Codecs.stringKey(), Codecs.string());
        return switch (words[1]) {
            case "get" -> found(words[2].equals(REGISTER) ? cache.read(key, ReplicationMode.QUORUM) : cache.read(key));
            case "put" -> receipt(cache.put(key, words[4]));
            case "put-if-absent" -> receipt(cache.putIfAbsent(key, words[4]));
            case "replace" -> receipt(cache.replace(key, Version.parse(words[5]), words[4]));
            case "invalidate" -> receipt(cache.invalidate(key));
            case "increment" ->
                Requests.line(true, Long.toString(cache.increment(key, Long.parseLong(words[4]))), null, true, "L2");
            default -> throw new IllegalArgumentException(words[1]);
        };
    }

    private static String found(ReadResult<String> result) {
        if (result.freshness() == Freshness.UNKNOWN) {
            throw new UnavailableException("it is not known what is there", "read again");
        }
        return Requests.line(
                true,
                result.value(),
                result.version(),
                result.freshness() != Freshness.STALE,
                result.source().name());
    }

    private static String receipt(WriteReceipt receipt) {
        return Requests.line(
                receipt.applied(),
                null,
                receipt.version(),
                true,
                receipt.stored() + (receipt.announced() ? " " + ANNOUNCED : ""));
    }
}
