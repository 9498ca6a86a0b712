package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.spi.ZoneDetection;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An L2 of which only its servers can tell whether it is one deployment or several zones. Until one of them has said it, it is
 * away. Thread-safe.
 */
final class UndecidedRemote implements Remote {
    private static final Logger LOG = LoggerFactory.getLogger(UndecidedRemote.class);

    private final ZoneDetection detection;
    private final HybridClock clock;
    private final Function<CacheKey, ReplicationMode> modes;
    private final Facade facade = new Facade();
    private volatile @Nullable Decided decided;
    private volatile String trouble = "";
    private boolean closed;

    private record Decided(Tier tier, Remote remote) {}

    /**
     * @param opening opens the tier once it is known whether there are several zones
     */
    UndecidedRemote(
            ZoneDetection detection,
            HybridClock clock,
            Function<CacheKey, ReplicationMode> modes,
            Function<Boolean, Tier> opening) {
        this.detection = detection;
        this.clock = clock;
        this.modes = modes;
        detection.several().whenComplete((several, failure) -> {
            if (failure == null) {
                decide(several, opening);
            }
        });
    }

    private synchronized void decide(boolean several, Function<Boolean, Tier> opening) {
        if (closed) {
            return;
        }
        LOG.info("the remote tier is {}", several ? "several zones" : "one deployment");
        try {
            Tier tier = opening.apply(several);
            decided = new Decided(tier, Remote.over(tier, clock, modes));
        } catch (RuntimeException e) {
            // Nobody is there to be told but those who ask for the status, and the log.
            trouble = String.valueOf(e.getMessage());
            LOG.error("the remote tier cannot be opened reason={}", e.getMessage(), e);
        }
    }

    /** The same L2 as a tier. */
    Facade facade() {
        return facade;
    }

    private String reason() {
        return trouble.isEmpty() ? detection.trouble() : trouble;
    }

    private Lookup.Unavailable away() {
        return new Lookup.Unavailable(TierLevel.L2, Unavailability.DISCONNECTED, reason());
    }

    private StoreOutcome.Unavailable awayToo() {
        return new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.DISCONNECTED, reason());
    }

    private Written unwritten(Function<Version, Entry> make) {
        return new Written(make.apply(clock.next()), awayToo(), null, false);
    }

    @Override
    public CompletionStage<Written> write(Intent intent) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(unwritten(intent.make()))
                : to.remote().write(intent);
    }

    @Override
    public CompletionStage<List<Written>> writeAll(List<Intent> intents) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(
                        intents.stream().map(intent -> unwritten(intent.make())).toList())
                : to.remote().writeAll(intents);
    }

    @Override
    public CompletionStage<Written> store(Entry entry, ReplicationMode mode) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(new Written(entry, awayToo(), null, false))
                : to.remote().store(entry, mode);
    }

    @Override
    public CompletionStage<Written> change(
            CacheKey key, WriteCondition condition, Function<Version, Entry> make, ReplicationMode mode) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(unwritten(make))
                : to.remote().change(key, condition, make, mode);
    }

    @Override
    public CompletionStage<Written> fill(Entry entry, @Nullable Version seen) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(new Written(entry, awayToo(), null, false))
                : to.remote().fill(entry, seen);
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode) {
        Decided to = decided;
        return to == null
                ? CompletableFuture.completedStage(away())
                : to.remote().read(key, mode);
    }

    /** The tier side. */
    final class Facade implements Tier {
        Remote remote() {
            return UndecidedRemote.this;
        }

        @Override
        public TierLevel level() {
            return TierLevel.L2;
        }

        @Override
        public CompletionStage<Lookup> get(CacheKey key) {
            Decided to = decided;
            return to == null
                    ? CompletableFuture.completedStage(away())
                    : to.tier().get(key);
        }

        @Override
        public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
            Decided to = decided;
            if (to != null) {
                return to.tier().getAll(keys);
            }
            Map<CacheKey, Lookup> none = new HashMap<>();
            keys.forEach(key -> none.put(key, away()));
            return CompletableFuture.completedStage(none);
        }

        @Override
        public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
            Decided to = decided;
            return to == null
                    ? CompletableFuture.completedStage(awayToo())
                    : to.tier().put(entry, condition);
        }

        @Override
        public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
            Decided to = decided;
            return to == null
                    ? CompletableFuture.completedStage(awayToo())
                    : to.tier().put(entry, condition, mode);
        }

        @Override
        public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
            Decided to = decided;
            return to == null
                    ? CompletableFuture.completedStage(Collections.nCopies(entries.size(), awayToo()))
                    : to.tier().putAll(entries);
        }

        @Override
        public CompletionStage<Void> clear(String cache, Version upTo) {
            Decided to = decided;
            return to == null
                    ? CompletableFuture.completedStage(null)
                    : to.tier().clear(cache, upTo);
        }

        @Override
        public TierStatus status() {
            Decided to = decided;
            return to != null
                    ? to.tier().status()
                    : new TierStatus(
                            TierLevel.L2,
                            closed ? TierStatus.State.CLOSED : TierStatus.State.CONNECTING,
                            "one deployment or several zones, not known yet",
                            reason(),
                            -1,
                            -1);
        }

        @Override
        public void close() {
            synchronized (UndecidedRemote.this) {
                closed = true;
            }
            detection.close();
            Decided to = decided;
            if (to != null) {
                to.tier().close();
            }
        }
    }
}
