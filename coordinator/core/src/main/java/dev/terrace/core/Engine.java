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
        Loads loads,
        Writes writes,
        ConditionalWrites conditional,
        Markers markers,
        Gate gate) {
    /** The longest that any operation may take; a wait beyond it would be a bug, and ends all the same. */
    Duration longestWait() {
        Duration remote = settings.distributedCache().timeout().multipliedBy(4);
        Duration backup = settings.backupStorage().timeout().multipliedBy(3);
        return settings.loading().timeout().plus(remote).plus(backup).plusSeconds(1);
    }
}
