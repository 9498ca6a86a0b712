package dev.terrace.replication;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Replica;
import java.util.List;

/** What replication shows of its zones, beside what {@link Meters} counts. */
final class ReplicationGauges {
    private static final String MOVING = "replication.moving";

    private ReplicationGauges() {}

    /** Registers all gauges, in place of those of an earlier tier. */
    static void register(
            MetricRegistry metrics,
            List<? extends Replica> zones,
            Context context,
            Membership membership,
            Moving moving) {
        Answering answering = context.answering();
        Hints hints = context.hints();
        metrics.remove(MOVING);
        metrics.register(MOVING, (Gauge<Integer>) () -> moving.stage().figure);
        for (Replica zone : zones) {
            String name = zone.zone();
            Meters.gauge(metrics, name, "lag_ms", () -> lagMillis(context, zone));
            Meters.gauge(
                    metrics, name, "latency_p95_ms", () -> answering.of(zone).p95());
            Meters.gauge(metrics, name, "slow", () -> answering.isSlow(zone) ? 1 : 0);
            Meters.gauge(metrics, name, "hints.pending", () -> hints.pending(name));
            Meters.gauge(metrics, name, "hints.oldest_ms", () -> hints.oldestMillis(name));
            Meters.gauge(
                    metrics, name, "standing", () -> membership.standing(name).name());
            Meters.gauge(metrics, name, "resync.progress", () -> membership.copied(name));
        }
    }

    /** How old the oldest write is that the zone lacks; else how far behind the first zone it acknowledges, smoothed. */
    private static long lagMillis(Context context, Replica zone) {
        return Math.max(
                context.hints().oldestMillis(zone.zone()),
                Math.round(context.answering().of(zone).lagMillis()));
    }
}
