package dev.terrace.node.storm;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.WriteReceipt;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.Version;
import java.nio.file.Path;

/**
 * One cache node as a process of its own, so that it can be killed and frozen like one. Opens the settings file it is given and
 * carries out {@link Requests}.
 */
final class StormNode {
    private final CacheCoordinator coordinator;

    private StormNode(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    /** Runs until standard input ends. */
    public static void main(String[] arguments) throws Exception {
        Requests.serve(() -> {
            CacheCoordinator coordinator = CacheCoordinator.open(Path.of(arguments[0]));
            return new Requests.Store(new StormNode(coordinator)::carryOut, coordinator);
        });
    }

    private String carryOut(String[] words) {
        Cache<String, String> cache = coordinator.cache(words[2], Codecs.stringKey(), Codecs.string());
        String key = words[3];
        return switch (words[1]) {
            case "get" -> found(cache.read(key));
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
                receipt.stored().toString());
    }
}
