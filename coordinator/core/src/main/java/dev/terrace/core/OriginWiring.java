package dev.terrace.core;

import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.config.WritePolicy;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.core.origin.WriterCalls;
import dev.terrace.replication.Timing;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.WriteJournal;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** Puts together what brings writes to the origin. */
final class OriginWiring {
    private final Surroundings surroundings;
    private final Policies policies;
    private final PolicyModes modes;
    private final HybridClock clock;
    private @Nullable WriteJournal journal;

    OriginWiring(Surroundings surroundings, Policies policies, PolicyModes modes, HybridClock clock) {
        this.surroundings = surroundings;
        this.policies = policies;
        this.modes = modes;
        this.clock = clock;
    }

    /** Where writes wait for the origin; searched on the class path otherwise, when it is needed. */
    void journal(@Nullable WriteJournal given) {
        journal = given;
    }

    /** Opens the journal if some policy writes behind. */
    void open(Opened opened) {
        boolean needed = policies.all().stream()
                .anyMatch(policy -> policy.write() != null && policy.write().policy() == WritePolicy.Kind.BEHIND);
        if (needed && journal == null) {
            journal = opened.and(Providers.journal("rocksdb").open(surroundings));
        }
    }

    /** What brings writes to the origin, with what waited when the journal was closed. */
    OriginWrites writes(
            Tiers tiers,
            Writes writes,
            ConditionalWrites conditional,
            Cascade cascade,
            Fills fills,
            Flights flights,
            Announcer announcer,
            ScheduledExecutorService timer) {
        Settings settings = surroundings.settings();
        long tombstoneMillis = settings.limits().tombstoneRetention().toMillis();
        OriginWrites.Invalidations invalidations = key -> conditional.plain(new Intent(
                key,
                version -> {
                    long created = Math.max(clock.millis(), version.epochMillis());
                    return Entry.tombstone(key, version, created, created + tombstoneMillis);
                },
                new Terms(modes.apply(key), false)));
        WriterCalls calls = new WriterCalls("terrace-writer", settings.loading().threads(), timer);
        OriginWrites origin = new OriginWrites(policies, clock, writes, conditional, invalidations, calls);
        WriteJournal kept = journal;
        if (kept != null) {
            // Threads of their own: what waits for a slow origin must not hold up those who wait themselves.
            WriterCalls later =
                    new WriterCalls("terrace-write-behind", settings.journal().threads(), timer);
            Arrivals arrivals = new Arrivals(origin, later, tiers, flights, announcer, invalidations);
            WriteBehind behind = new WriteBehind(
                    kept,
                    settings.journal(),
                    arrivals,
                    Timing.real(timer),
                    surroundings.clock(),
                    new SplittableRandom(),
                    surroundings.metrics());
            origin.behind(behind, later, kept);
            cascade.heedAwaited(behind::pending);
            fills.heedAwaited(key -> behind.pending(key) != null);
        }
        return origin;
    }
}
