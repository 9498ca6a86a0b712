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
        Gate gate) {
    /** The longest that any operation may take; a wait beyond it would be a bug, and ends all the same. */
    Duration longestWait() {
        // At most four calls of L2 (a conditional write) and three of L3 follow one another, each within its outer
        // deadline.
        Duration remote =
                Wiring.outerDeadline(settings.distributedCache().timeout()).multipliedBy(4);
        Duration backup =
                Wiring.outerDeadline(settings.backupStorage().timeout()).multipliedBy(3);
        return settings.loading().timeout().plus(remote).plus(backup).plusSeconds(1);
    }
}
