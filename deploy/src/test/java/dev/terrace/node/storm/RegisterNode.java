package dev.terrace.node.storm;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.config.ZoneSettings;
import dev.terrace.node.OfflineContext;
import dev.terrace.replication.ReplicatedTier;
import dev.terrace.replication.Timing;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A process that keeps registers over the zones of a settings file with QUORUM, without a coordinator above. */
final class RegisterNode {
    private static final long DEADLINE_MILLIS = 1_500;
    private static final long KEEP_MILLIS = Duration.ofHours(1).toMillis();
    private static final InstantSource WALL = InstantSource.system();

    private final ReplicatedTier tier;

    private RegisterNode(ReplicatedTier tier) {
        this.tier = tier;
    }

    /** A write whose fate is not known. */
    private static final class UnknownOutcome extends Requests.Excused {
        private static final long serialVersionUID = 1L;

        UnknownOutcome(String detail) {
            super(detail);
        }
    }

    /** Runs until standard input ends. */
    public static void main(String[] arguments) throws Exception {
        Requests.serve(() -> {
            MetricRegistry metrics = new MetricRegistry();
            ReplicaProvider provider =
                    ServiceLoader.load(ReplicaProvider.class).findFirst().orElseThrow();
            Settings settings =
                    SettingsLoader.read(Path.of(arguments[0]), Map.of()).settings();
            OfflineContext context = new OfflineContext(settings, metrics);
            List<Replica> zones = new ArrayList<>();
            for (ZoneSettings zone : settings.distributedCache().zones()) {
                zones.add(provider.open(zone.name(), context));
            }
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "register-timer");
                thread.setDaemon(true);
                return thread;
            });
            HybridClock clock = new HybridClock(WALL, new SecureRandom().nextLong(), Duration.ofMinutes(1));
            ReplicatedTier tier = new ReplicatedTier(
                    zones,
                    new ReplicatedTier.Setup(
                            settings.distributedCache().replicationFactor(),
                            ReplicationMode.QUORUM,
                            Map.of(),
                            DEADLINE_MILLIS,
                            100_000,
                            600_000,
                            200),
                    clock,
                    Timing.real(timer),
                    metrics);
            return new Requests.Store(new RegisterNode(tier)::carryOut, tier);
        });
    }

    private String carryOut(String[] words) {
        CacheKey key = CacheKey.of(words[2], words[3]);
        return switch (words[1]) {
            case "get" -> found(await(tier.read(key, ReplicationMode.QUORUM)));
            case "put" ->
                written(await(tier.write(key, version -> value(key, version, words[4]), ReplicationMode.QUORUM)), null);
            case "invalidate" ->
                written(
                        await(tier.write(
                                key,
                                version -> Entry.tombstone(key, version, WALL.millis(), WALL.millis() + KEEP_MILLIS),
                                ReplicationMode.QUORUM)),
                        null);
            case "put-if-absent" ->
                written(
                        await(tier.change(
                                key, (held, version) -> isThere(held) ? null : value(key, version, words[4]))),
                        null);
            case "replace" -> {
                Version expected = Version.parse(words[5]);
                yield written(
                        await(tier.change(
                                key,
                                (held, version) ->
                                        isThere(held) && held.version().equals(expected)
                                                ? value(key, version, words[4])
                                                : null)),
                        null);
            }
            case "increment" -> increment(key, Long.parseLong(words[4]));
            default -> throw new IllegalArgumentException(words[1]);
        };
    }

    private String increment(CacheKey key, long delta) {
        Map<Version, String> made = new ConcurrentHashMap<>();
        Replicated replicated = await(tier.change(key, (held, version) -> {
            long before = isThere(held) ? Long.parseLong(text(held)) : 0;
            String sum = Long.toString(before + delta);
            made.put(version, sum);
            return value(key, version, sum);
        }));
        return written(replicated, made);
    }

    private static boolean isThere(Entry held) {
        return held != null && held.isValue();
    }

    private static Entry value(CacheKey key, Version version, String text) {
        long now = WALL.millis();
        return new Entry(
                key,
                EntryKind.VALUE,
                version,
                now,
                now + KEEP_MILLIS,
                now + KEEP_MILLIS,
                List.of(),
                text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(Entry entry) {
        return new String(entry.payload(), StandardCharsets.UTF_8);
    }

    private static String found(Lookup lookup) {
        if (lookup instanceof Lookup.Unavailable no) {
            throw new UnknownOutcome(no.cause() + " " + no.detail());
        }
        if (lookup instanceof Lookup.Hit hit) {
            Entry entry = hit.entry();
            return Requests.line(true, entry.isValue() ? text(entry) : null, entry.version(), true, "L2");
        }
        return Requests.line(true, null, null, true, "L2");
    }

    private static String written(Replicated replicated, Map<Version, String> made) {
        return switch (replicated.outcome()) {
            case ACKNOWLEDGED ->
                Requests.line(
                        true, made == null ? null : made.get(replicated.version()), replicated.version(), true, "L2");
            case REFUSED -> Requests.line(false, null, null, true, "L2");
            case FAILED -> throw new Requests.NotExecuted(replicated.detail());
            case UNKNOWN -> throw new UnknownOutcome(replicated.detail());
        };
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnknownOutcome("interrupted");
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new IllegalStateException("a stage must complete, in time and normally", e);
        }
    }
}
