package dev.terrace.testkit.nemesis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * When which fault begins and ends. Immutable. A pure function of the seed, the faults in their order and the limits, so a
 * seed replays it.
 *
 * @param seed what it was drawn from
 * @param strikes the faults, by the time they begin
 */
public record Schedule(long seed, List<Strike> strikes) {
    /** Copies the list. */
    public Schedule {
        strikes = List.copyOf(strikes);
    }

    /**
     * One fault in time.
     *
     * @param fault what
     * @param beginMillis when it begins, counted from the start
     * @param endMillis when it ends
     */
    public record Strike(Fault fault, long beginMillis, long endMillis) {
        /** {@code 1200-3400 ms: freeze zone-1}. */
        @Override
        public String toString() {
            return beginMillis + "-" + endMillis + " ms: " + fault;
        }
    }

    /**
     * Draws a schedule. All faults have ended after {@code length}.
     *
     * @param faults what may happen; those listed twice happen twice as often
     * @param length from the start to the end of the last fault, at most
     * @param gap the mean time from the beginning of one fault to that of the next
     * @param atOnce how many faults there are at the same time, at most
     */
    public static Schedule draw(long seed, List<Fault> faults, Duration length, Duration gap, int atOnce) {
        if (faults.isEmpty() || atOnce < 1 || gap.isZero() || gap.isNegative()) {
            throw new IllegalArgumentException(
                    "nothing to draw from: " + faults.size() + " faults, " + atOnce + " at once, one per " + gap);
        }
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Long> freeFrom = new HashMap<>();
        List<Strike> strikes = new ArrayList<>();
        for (long now = next(random, gap); now < length.toMillis(); now += next(random, gap)) {
            Fault fault = faults.get(random.nextInt(faults.size()));
            long lasts =
                    random.nextLong(fault.shortest().toMillis(), fault.longest().toMillis() + 1);
            long moment = now;
            long running = strikes.stream()
                    .filter(strike -> strike.endMillis() > moment)
                    .count();
            if (running < atOnce && isFree(fault, now, freeFrom) && now + lasts <= length.toMillis()) {
                strikes.add(new Strike(fault, now, now + lasts));
                long rested = now + lasts + fault.rest().toMillis();
                freeFrom.put("target " + fault.target(), rested);
                if (fault.group() != null) {
                    freeFrom.put("group " + fault.group(), rested);
                }
            }
        }
        strikes.sort(Comparator.comparingLong(Strike::beginMillis));
        return new Schedule(seed, strikes);
    }

    private static long next(SplittableRandom random, Duration gap) {
        return 1 + random.nextLong(2 * gap.toMillis());
    }

    private static boolean isFree(Fault fault, long now, Map<String, Long> freeFrom) {
        return freeFrom.getOrDefault("target " + fault.target(), 0L) <= now
                && (fault.group() == null || freeFrom.getOrDefault("group " + fault.group(), 0L) <= now);
    }

    /** One strike a line, under the seed. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("seed " + seed + ", " + strikes.size() + " faults\n");
        strikes.forEach(strike -> text.append("  ").append(strike).append('\n'));
        return text.toString();
    }
}
