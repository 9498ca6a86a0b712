package dev.terrace.config;

import java.time.Duration;

/**
 * When L3 is backed up to object storage, and what is kept there.
 *
 * @param shipInterval between deltas: about what is lost with the machine
 * @param snapshotEvery between snapshots; in between, deltas are added to the last one
 * @param keepHourly the newest snapshot, with its deltas, of so many hours that have one
 * @param keepDaily the same of so many days; the newest of all is always kept
 */
public record BackupSchedule(Duration shipInterval, Duration snapshotEvery, int keepHourly, int keepDaily) {
    /** Deltas each 5 s, snapshots each hour, kept for 24 hours and 7 days. */
    public static BackupSchedule defaults() {
        return new BackupSchedule(Duration.ofSeconds(5), Duration.ofHours(1), 24, 7);
    }
}
