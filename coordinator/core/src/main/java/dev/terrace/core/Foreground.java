package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.function.LongSupplier;

/**
 * What callers experience while something works in the background: the calls of L2 and L3 made for them, which are not those that a warm-up
 * makes, and how many operations are under way. For one thread.
 */
final class Foreground {
    private static final List<String> CALLS =
            List.of("tier.l2.get", "tier.l2.put", "tier.l2.write", "tier.l2.change", "tier.l3.get");

    private final List<SummingTimer> timers = new ArrayList<>();
    private final LongSupplier operations;
    private long calls;
    private long nanos;

    /** @param operations how many are under way */
    Foreground(MetricRegistry metrics, LongSupplier operations) {
        this.operations = operations;
        SortedMap<String, Timer> known = metrics.getTimers((name, metric) -> CALLS.contains(name));
        known.values().forEach(timer -> {
            if (timer instanceof SummingTimer summing) {
                timers.add(summing);
            }
        });
        since();
    }

    /**
     * What happened since the last look.
     *
     * @param calls that ended
     * @param nanos that they took together
     * @param operations under way now
     */
    record Since(long calls, long nanos, long operations) {}

    Since since() {
        long allCalls = timers.stream().mapToLong(Timer::getCount).sum();
        long allNanos = timers.stream().mapToLong(SummingTimer::totalNanos).sum();
        Since since = new Since(allCalls - calls, allNanos - nanos, operations.getAsLong());
        calls = allCalls;
        nanos = allNanos;
        return since;
    }
}
