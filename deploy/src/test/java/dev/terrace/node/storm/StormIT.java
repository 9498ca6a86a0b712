package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.testkit.history.DurabilityChecker;
import dev.terrace.testkit.history.HistoryReport;
import dev.terrace.testkit.history.StalenessChecker;
import dev.terrace.testkit.nemesis.Fault;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Real servers and nodes under a random nemesis. {@code -Dterrace.seed} replays a schedule (not the interleaving: that is the
 * machine's); {@code -Dterrace.storm.seconds} or the profile {@code soak} make it long.
 */
class StormIT {
    private static final long SEED = Long.getLong("terrace.seed", new Random().nextLong() >>> 16);
    private static final Duration LENGTH = Duration.ofSeconds(Integer.getInteger("terrace.storm.seconds", 20));
    private static final Duration CALM = Duration.ofSeconds(7);
    private static final Duration CONVERGED = Duration.ofSeconds(4);

    private static String oneRedis(Zones zones, int node) {
        return """
                distributed_cache:
                  local_cache: {enabled: true, capacity: 1000, max_memory_mb: 8, ttl: "1s"}
                  distributed_cache: {enabled: true, backend: redis, cluster_nodes: ["%s"], topology: standalone,
                                      ttl: "30m", timeout: "500ms", connect_timeout: "500ms", pool_size: 8, key_prefix: "%s"}
                  backup_storage: {enabled: false}
                  circuit_breaker: {reset_timeout: "1s"}
                """.formatted(zones.address(0, node), Zones.keyPrefix());
    }

    /** One Redis and no coherence between nodes: after the storm everybody agrees and nothing acknowledged is lost. */
    @Test
    @Timeout(value = 4, unit = TimeUnit.HOURS)
    void oneRedisConvergesAndLosesNothing() throws Exception {
        Path folder = Path.of("target", "storm", "one-redis-" + SEED);
        Path redis = RedisProcess.preferredBinary("StormIT");
        try (Storm storm = new Storm(folder, redis, 1, 3, SEED, StormIT::oneRedis)) {
            List<Fault> faults = new ArrayList<>(storm.zones().outages());
            faults.addAll(storm.nodeFaults());
            Storm.Outcome outcome = storm.run(faults, LENGTH, Duration.ofMillis(700), 2, CALM, CONVERGED);

            StalenessChecker staleness = new StalenessChecker();
            HistoryReport report = report("one Redis, EVENTUAL", storm, outcome)
                    .verdict(
                            "everybody agrees " + CONVERGED + " after the last fault",
                            staleness.eventual(outcome.history(), CONVERGED, outcome.calmNanos()))
                    .verdict("sessions read their writes", staleness.readYourWrites(outcome.history()))
                    // Without coherence a late answer may pass an own write, and a missed one may shadow a newer one.
                    .observation("nodes never go back", staleness.monotonicReadsPerNode(outcome.history()));
            outcome.finalReads()
                    .forEach((node, held) -> report.verdict(
                            "nothing acknowledged is lost, asked at " + node,
                            new DurabilityChecker().check(outcome.history(), held)));
            finish(report, outcome, folder);
        }
    }

    private static HistoryReport report(String title, Storm storm, Storm.Outcome outcome) {
        return new HistoryReport(title, outcome.history())
                .fact("seed", SEED)
                .fact("redis", storm.zones().count() + " of " + storm.zones().serverVersion())
                .fact("nodes", storm.nodes().size())
                .fact("nemesis seconds", LENGTH.toSeconds())
                .fact("all nodes store again, ms after the last fault", outcome.healedMillis())
                .fact("all nodes answer the same, ms after the last operation", outcome.agreedMillis())
                .fact("latency of answers", outcome.tally().latencies())
                .fact("answers", outcome.tally().counts())
                .fact("schedule", outcome.schedule())
                .fact("nemesis", "\n  " + String.join("\n  ", outcome.nemesisLog()));
    }

    private static void finish(HistoryReport report, Storm.Outcome outcome, Path folder) {
        report.writeTo(folder);
        System.out.println(report.text());
        assertThat(outcome.nemesisFailures()).isEmpty();
        assertThat(outcome.agreedMillis()).as("all nodes answer the same").isNotNegative();
        assertThat(outcome.history().size()).as("enough happened").isGreaterThan(1_000);
        report.require();
    }
}
