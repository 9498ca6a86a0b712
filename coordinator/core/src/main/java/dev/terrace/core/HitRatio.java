package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import java.util.ArrayDeque;
import java.util.Deque;

/** Which share of the reads L1 and L2 have answered during the last ten seconds of a warm-up. For one thread. */
final class HitRatio {
    /** Fewer reads than this say nothing. */
    private static final long FEWEST_READS = 100;

    private static final int LOOKS = 100;

    private final MetricRegistry metrics;
    private final WarmupPlan plan;
    private final Deque<long[]> looks = new ArrayDeque<>();

    HitRatio(MetricRegistry metrics, WarmupPlan plan) {
        this.metrics = metrics;
        this.plan = plan;
    }

    /** Whether the plan wants no more; to be asked ten times a second. */
    boolean isReached() {
        if (plan.hitRatio() == 0) {
            return false;
        }
        long[] now = new long[2];
        for (var counter :
                metrics.getCounters((name, metric) -> name.startsWith("cache.")).entrySet()) {
            add(counter.getKey(), counter.getValue(), now);
        }
        looks.add(now);
        long[] first = looks.size() > LOOKS ? looks.remove() : looks.getFirst();
        long hits = now[0] - first[0];
        long reads = hits + now[1] - first[1];
        return reads >= FEWEST_READS && hits >= plan.hitRatio() * reads;
    }

    private void add(String name, Counter counter, long[] into) {
        boolean hit = name.endsWith(".hits.l1") || name.endsWith(".hits.l2") || name.endsWith(".hits.near");
        boolean below = name.endsWith(".hits.l3") || name.endsWith(".misses");
        if (hit || below) {
            String rest = name.substring("cache.".length());
            String cache = rest.substring(0, rest.lastIndexOf(rest.endsWith(".misses") ? ".misses" : ".hits."));
            if (plan.wants(cache)) {
                into[hit ? 0 : 1] += counter.getCount();
            }
        }
    }
}
