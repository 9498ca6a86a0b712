package dev.terrace.config;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The journal of writes that have yet to reach the origin; it is there when some cache or class writes behind. It is encrypted when
 * L3 is, with L3's key, also while L3 is off.
 *
 * @param path its folder, created when missing; one process per folder
 * @param sync when a write counts as kept
 * @param syncDelay with {@link Sync#GROUP} how long a write may wait for others to share a sync; with {@link Sync#BACKGROUND} the
 *     pause between two syncs
 * @param maxEntries most writes that wait for the origin
 * @param maxMib most memory and about the most disk space of these, in MiB
 * @param maxDead most dead letters; beyond them writes that fail stay where they are
 * @param fullTimeout how long a write waits for room before it is refused
 * @param threads most calls of writers at once
 */
public record JournalSettings(
        Path path,
        Sync sync,
        Duration syncDelay,
        int maxEntries,
        int maxMib,
        int maxDead,
        Duration fullTimeout,
        int threads) {
    /** When a write counts as kept. */
    public enum Sync {
        /** When the disk has it; whatever waits shares a sync, and nothing waits for company. */
        CALL,
        /** When the disk has it; a write waits a little for others to share the sync with. */
        GROUP,
        /** When the operating system has it, so that a kill loses nothing and a power failure the last moment. */
        BACKGROUND
    }

    /** {@code data/journal}, synced with each call, 100,000 writes or 64 MiB, 10,000 dead letters, 1 s for room, 8 threads. */
    public static JournalSettings defaults() {
        return new JournalSettings(
                Path.of("data", "journal"),
                Sync.CALL,
                Duration.ofMillis(5),
                100_000,
                64,
                10_000,
                Duration.ofSeconds(1),
                8);
    }

    /** The same elsewhere. */
    public JournalSettings withPath(Path other) {
        return new JournalSettings(other, sync, syncDelay, maxEntries, maxMib, maxDead, fullTimeout, threads);
    }

    /** The same with other bounds. */
    public JournalSettings withBounds(int entries, int mib, int dead, Duration full) {
        return new JournalSettings(path, sync, syncDelay, entries, mib, dead, full, threads);
    }

    /** The same, synced otherwise. */
    public JournalSettings withSync(Sync other, Duration delay) {
        return new JournalSettings(path, other, delay, maxEntries, maxMib, maxDead, fullTimeout, threads);
    }
}
