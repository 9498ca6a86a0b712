package dev.terrace.tier.local;

/**
 * How many bytes L1 may hold, by how full the container is: less as soon as it is too full, more only after it has been well below that
 * for a while, and then no more than half of what is free, so that it does not swing. Not thread-safe.
 */
final class MemoryPressure {
    /** How far below the threshold there must be room, in percent of the container, before L1 grows. */
    static final int GAP_PERCENT = 10;

    /** How many looks in a row must find that room. */
    static final int CALM_LOOKS = 5;

    /** What always stays, as a part of all. */
    private static final int FLOOR_PARTS = 16;

    /** The least that it shrinks or grows by, as a part of all. */
    private static final int STEP_PARTS = 20;

    private final int shrinkAtPercent;
    private final long full;
    private long limit;
    private int calm;

    MemoryPressure(int shrinkAtPercent, long full) {
        this.shrinkAtPercent = shrinkAtPercent;
        this.full = full;
        this.limit = full;
    }

    /**
     * The limit from now on.
     *
     * @param held what L1 holds
     */
    long decide(ContainerMemory.Reading reading, long held) {
        long threshold = percent(reading.max(), shrinkAtPercent);
        long lower = percent(reading.max(), shrinkAtPercent - GAP_PERCENT);
        long step = full / STEP_PARTS;
        if (reading.used() > threshold) {
            calm = 0;
            long excess = Math.max(step, reading.used() - threshold);
            limit = Math.max(full / FLOOR_PARTS, Math.min(limit, held) - excess);
        } else if (limit < full && reading.used() < lower) {
            calm++;
            long room = (lower - reading.used()) / 2;
            if (calm >= CALM_LOOKS && room >= Math.min(step, full - limit)) {
                calm = 0;
                limit = Math.min(full, limit + room);
            }
        } else {
            calm = 0;
        }
        return limit;
    }

    /** The limit from now on, where there is none around: all. */
    long unlimited() {
        calm = 0;
        limit = full;
        return limit;
    }

    private static long percent(long of, int percent) {
        return of / 100 * percent + of % 100 * percent / 100;
    }
}
