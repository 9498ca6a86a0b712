package dev.terrace.core;

import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.config.WritePolicy;
import dev.terrace.spi.HybridClock;
import java.time.Duration;

/** What the caches of one coordinator share. */
record Engine(
        Settings settings,
        Policies policies,
        HybridClock clock,
        Tiers tiers,
        Cascade cascade,
        Flights flights,
        LocalCopies copies,
        Fills fills,
        Loads loads,
        FleetTurns turns,
        OriginGuard guard,
        Sliding sliding,
        Writes writes,
        Missed missed,
        ConditionalWrites conditional,
        OriginWrites origin,
        Markers markers,
        Coherence coherence,
        Announcer announcer,
        Promises promises,
        Warming warming,
        Gate gate) {
    private static final Duration COHERENCE = Duration.ofSeconds(10);

    private Duration longestWriter() {
        return policies.all().stream()
                .map(policy -> policy.write() == null ? WritePolicy.defaults() : policy.write())
                .map(WritePolicy::timeout)
                .max(Duration::compareTo)
                .orElse(Duration.ZERO);
    }

    /** The longest that any operation may take; a wait beyond it would be a bug, and ends all the same. */
    Duration longestWait() {
        // At most four calls of L2 (a conditional write) and three of L3 follow one another, each within its outer
        // deadline.
        Duration remote = Patience.rounds(settings.distributedCache().timeout()).multipliedBy(4);
        Duration backup = Patience.outer(settings.backupStorage().timeout()).multipliedBy(3);
        // The backplane answers within a deadline of its own, and a strict write waits for a lease after that.
        // A write that goes through calls its writer first, one that goes behind may wait for room in the journal and
        // for its disk.
        return settings.loading()
                .timeout()
                .plus(longestWriter())
                .plus(settings.journal().fullTimeout())
                .plus(remote)
                .plus(backup)
                .plus(COHERENCE)
                .plus(promises.lease().multipliedBy(2));
    }
}
