package dev.terrace.tier.backup.repo;

import dev.terrace.api.BadInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Which restore points stay: the newest always, and the newest of each of the last so many hours and days (UTC) that have one. Hours and days
 * without a snapshot are not counted, so that a silent writer or a clock that jumped cannot use the history up.
 *
 * @param hourly hours
 * @param daily days
 */
public record KeepPolicy(int hourly, int daily) {
    /** Refuses what would keep nothing but the newest by accident. */
    public KeepPolicy {
        if (hourly < 0 || daily < 0) {
            throw new BadInputException(
                    "keep cannot be negative: hourly " + hourly + ", daily " + daily, "use 0 or more");
        }
        if (hourly == 0 && daily == 0) {
            throw new BadInputException(
                    "keep is empty: nothing but the newest restore point would stay",
                    "set hourly or daily to 1 or more");
        }
    }

    /** What stays of {@code segments}, which are ordered from old to new. The last is the open one and always stays. */
    List<Segment> choose(List<Segment> segments) {
        Set<Segment> staying = new HashSet<>();
        mark(segments, staying, hourly, TimeUnit.HOURS.toMillis(1));
        mark(segments, staying, daily, TimeUnit.DAYS.toMillis(1));
        staying.add(segments.get(segments.size() - 1));
        return segments.stream().filter(staying::contains).toList();
    }

    private static void mark(List<Segment> segments, Set<Segment> staying, int most, long widthMillis) {
        List<Long> seen = new ArrayList<>();
        for (int i = segments.size() - 1; i >= 0; i--) {
            long bucket = segments.get(i).asOfMillis() / widthMillis;
            if (!seen.contains(bucket) && seen.size() < most) {
                seen.add(bucket);
                staying.add(segments.get(i));
            }
        }
    }
}
