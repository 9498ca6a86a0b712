package dev.terrace.spi;

import java.util.List;

/**
 * How the backups of a tier stand, as the process that makes them knows it. Immutable.
 *
 * @param writer this folder's number in the repository; 0 before the repository was reached
 * @param generation the newest that is published; 0 when there is none
 * @param throughMillis what was written up to this moment is in the repository, milliseconds since the epoch; 0 when that is not known
 * @param lagMillis how long ago that is: what would be lost with the machine now; -1 when that is not known
 * @param snapshotMillis the moment that the newest snapshot holds; 0 when there is none
 * @param deltaMillis when this process last shipped a delta; 0 when it has not
 * @param points what can be restored, oldest first
 * @param failures tries that failed since the process began
 * @param trouble why the last try failed; empty when it did not
 * @param freshness whether the repository was the newest that was ever seen when this process reached it; for people
 */
public record BackupReport(
        int writer,
        long generation,
        long throughMillis,
        long lagMillis,
        long snapshotMillis,
        long deltaMillis,
        List<Point> points,
        long failures,
        String trouble,
        String freshness) {
    /** Copies the list. */
    public BackupReport {
        points = List.copyOf(points);
    }

    /**
     * A snapshot and what was shipped after it.
     *
     * @param name as {@code terrace backup list} calls it
     * @param asOfMillis the earliest moment it can be restored to
     * @param throughMillis the last one
     */
    public record Point(String name, long asOfMillis, long throughMillis) {}
}
