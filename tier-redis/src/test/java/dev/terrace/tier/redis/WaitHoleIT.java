package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.testkit.history.DurabilityChecker;
import dev.terrace.testkit.history.Held;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.history.LinearizabilityChecker;
import dev.terrace.testkit.history.Op;
import dev.terrace.testkit.history.Pending;
import dev.terrace.testkit.history.Verdict;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What one Redis Cluster cannot promise, however many replicas a write waits for: WAIT says how many have it, but whoever is
 * left becomes primary, also one of the others. A majority of a primary and two replicas has the write, a majority fails, and
 * the third, which never heard of it, goes on. Independent zones with a quorum register would refuse instead of forgetting.
 */
class WaitHoleIT {
    private static final String KEY = "account";

    @Test
    @Tag("F10")
    void aWriteThatAMajorityHadIsLostWhenTheReplicaWithoutItIsPromoted() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startShards(2, 0, 0)) {
            RedisProcess primary = cluster.nodes().get(0);
            cluster.migrateSlot(cluster.slotOf(KEY), primary);
            RedisProcess up = cluster.replicas().get(0);
            RedisProcess cut = cluster.replicas().get(1);
            HistoryRecorder recorder = new HistoryRecorder();

            assertThat(writeAndWait(recorder, primary, "1", 2)).isEqualTo(2);
            cluster.cutReplication(cut);
            assertThat(writeAndWait(recorder, primary, "2", 1))
                    .as("primary and one replica: two of three, a majority")
                    .isEqualTo(1);
            primary.kill();
            up.kill();
            cluster.awaitPromoted(cut);

            Pending read = recorder.begin("reader", Op.get(KEY));
            String found = value(cut.command("GET", KEY));
            read.ok(found, null);
            History history = recorder.history();

            Verdict durable = new DurabilityChecker().check(history, Map.of(KEY, new Held(found, null)));
            Verdict linearizable = new LinearizabilityChecker().check(history);
            System.out.println("F10 as documented, durability: " + durable);
            assertThat(durable.isViolated()).isTrue();
            assertThat(durable.violations().get(0).reason())
                    .contains("holds 1", "1 acknowledged and newer write is lost");
            assertThat(linearizable.isViolated()).isTrue();
        }
    }

    /** Nothing is promoted, and both forget: the replica takes over the emptiness of its primary. */
    @Test
    @Tag("F10")
    void aPrimaryWithoutADiskThatIsBackBeforeItsReplicaIsPromotedForgetsForBoth() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startShards(1, 0, 0)) {
            RedisProcess primary = cluster.nodes().get(0);
            RedisProcess replica = cluster.replicas().get(0);
            cluster.migrateSlot(cluster.slotOf(KEY), primary);
            assertThat(writeAndWait(new HistoryRecorder(), primary, "1", 1)).isEqualTo(1);
            assertThat(replica.command("DBSIZE")).startsWith(":1");

            primary.kill();
            primary.restart();

            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(replica.command("DBSIZE")).startsWith(":0"));
            assertThat(primary.command("DBSIZE")).startsWith(":0");
        }
    }

    /** Writes, and waits for replicas on the same connection; acknowledged when enough have it. */
    private static int writeAndWait(HistoryRecorder recorder, RedisProcess primary, String value, int replicas) {
        Pending put = recorder.begin("writer", Op.put(KEY, value));
        String answers = primary.commands(
                List.of(List.of("SET", KEY, value), List.of("WAIT", Integer.toString(replicas), "5000")));
        assertThat(answers).startsWith("+OK\r\n:");
        int acknowledged =
                Integer.parseInt(answers.substring("+OK\r\n:".length()).strip());
        if (acknowledged >= replicas) {
            put.ok();
        } else {
            put.unknown();
        }
        return acknowledged;
    }

    private static String value(String answer) {
        return answer.startsWith("$-1") ? null : answer.split("\r\n")[1];
    }
}
