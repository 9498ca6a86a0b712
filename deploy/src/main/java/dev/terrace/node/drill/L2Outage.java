package dev.terrace.node.drill;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Redis is away for a while, and comes back with what it had. */
final class L2Outage implements Drill {
    private static final int ANSWERED_PERCENT = 99;

    @Override
    public String name() {
        return "l2-outage";
    }

    @Override
    public String about() {
        return "Redis is killed and comes back; reads and durable writes go on without it";
    }

    @Override
    public void run(Scene scene) throws Exception {
        scene.deploy();
        try (Traffic traffic = scene.begin()) {
            scene.hold("traffic", Duration.ofSeconds(1));
            scene.stage("kill Redis", () -> {
                scene.breaks();
                scene.site().redis().kill();
                return "";
            });
            scene.hold("without Redis", scene.plan().hold());
            scene.stage("start Redis", () -> {
                scene.site().redis().restart();
                return "";
            });
            long from = System.nanoTime();
            scene.awaitNormal();
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - from);
            Duration limit = scene.plan().objectives().serving();
            scene.measure("rto_seconds", scene.sinceBreakMillis() / 1000.0);
            scene.within("all tiers again after Redis is back", limit, millis);
            traffic.close();
            Traffic.Totals totals = traffic.totals();
            scene.mostly("reads answered", totals.reads(), totals.readsFailed(), ANSWERED_PERCENT);
            scene.mostly("durable writes acknowledged", totals.writes(), totals.writesFailed(), ANSWERED_PERCENT);
        }
        scene.verify(Duration.ZERO);
        scene.judgeTraffic();
    }
}
