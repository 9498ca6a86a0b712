package dev.terrace.core;

import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
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
        Writes writes,
        Missed missed,
        ConditionalWrites conditional,
        Markers markers,
        Coherence coherence,
        Announcer announcer,
        Promises promises,
        Gate gate) {
    private static final Duration COHERENCE = Duration.ofSeconds(10);

    /** The longest that any operation may take; a wait beyond it would be a bug, and ends all the same. */
    Duration longestWait() {
        // At most four calls of L2 (a conditional write) and three of L3 follow one another, each within its outer
        // deadline.
        Duration remote = Patience.rounds(settings.distributedCache().timeout()).multipliedBy(4);
        Duration backup = Patience.outer(settings.backupStorage().timeout()).multipliedBy(3);
        // The backplane answers within a deadline of its own, and a strict write waits for a lease after that.
        return settings.loading()
                .timeout()
                .plus(remote)
                .plus(backup)
                .plus(COHERENCE)
                .plus(promises.lease().multipliedBy(2));
    }
}
