package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.ReplicationSettings;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Acknowledgements that count disks. No server that knows {@code WAITAOF} is at hand: a real one of an older version plays its part,
 * and what it would answer is made up.
 */
@Tag("F12")
class DiskAcksIT {
    private RedisProcess primary;
    private RedisProcess replica;
    private LaterRedis later;

    @BeforeEach
    void start() throws Exception {
        primary = RedisProcess.start("--repl-diskless-sync", "no");
        replica = RedisProcess.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()));
        later = new LaterRedis(primary.port());
        await().atMost(Duration.ofSeconds(20))
                .until(() -> primary.command("INFO", "replication").contains("state=online"));
    }

    @AfterEach
    void stop() throws Exception {
        later.close();
        replica.close();
        primary.close();
    }

    private static RedisTier open(int port) {
        ReplicationSettings d = ReplicationSettings.defaults();
        DistributedCacheSettings settings = RedisFixture.settings(Topology.STANDALONE, null, null, port)
                .withReplication(new ReplicationSettings(
                        d.zones(),
                        d.hints(),
                        d.resyncEntriesPerSecond(),
                        d.compare(),
                        d.hedge(),
                        d.majorityForgot(),
                        true));
        return RedisFixture.openReady(settings, InstantSource.system(), new MetricRegistry());
    }

    private static StoreOutcome sync(RedisTier tier, Entry entry) {
        return answer(tier.put(entry, WriteCondition.IF_NEWER, ReplicationMode.SYNC));
    }

    private static StoreOutcome acked(int acked) {
        return new StoreOutcome.Underacknowledged(TierLevel.L2, acked, 2);
    }

    @Test
    void aServerThatKnowsItsDiskIsAskedOnTheConnectionOfTheWrite() {
        try (RedisTier tier = open(later.port())) {
            assertThat(sync(tier, entry("a"))).isEqualTo(new StoreOutcome.Applied(2, 2));
            assertThat(answer(tier.putAll(List.of(entry("b"), entry("c")), ReplicationMode.QUORUM)))
                    .containsOnly(new StoreOutcome.Applied(2, 2));
            assertThat(later.waits()).hasSize(3).allSatisfy(words -> {
                assertThat(words.subList(0, 2)).containsExactly("1", "1");
                assertThat(Integer.parseInt(words.get(2))).isBetween(1, (int) RedisFixture.TIMEOUT.toMillis());
            });
            assertThat(later.before()).containsOnly("EVALSHA");
            assertThat(tier.status().detail()).isEmpty();
            assertThat(answer(tier.put(entry("d"), WriteCondition.IF_NEWER, ReplicationMode.ASYNC)))
                    .isInstanceOf(StoreOutcome.Applied.class);
            assertThat(later.waits()).as("not for one that need not wait").hasSize(3);
        }
    }

    @Test
    void aDiskThatIsLateOrBrokenDoesNotCount() {
        try (RedisTier tier = open(later.port())) {
            Entry oldest = entry("a", 0);
            later.counts(0, 1);
            assertThat(sync(tier, entry("a", 1))).as("not on the primary's").isEqualTo(acked(1));
            later.counts(1, 0);
            assertThat(sync(tier, entry("a", 2))).as("not on the replica's").isEqualTo(acked(1));
            later.fails("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
            Entry newest = entry("a", 3);
            assertThat(sync(tier, newest)).as("nobody knows").isEqualTo(acked(0));
            assertThat(((Lookup.Hit) get(tier, "a")).entry())
                    .as("taken all the same")
                    .isEqualTo(newest);
            later.counts(1, 1);
            assertThat(sync(tier, oldest))
                    .as("older, and what it lost to is safe")
                    .isInstanceOf(StoreOutcome.Superseded.class);
        }
    }

    @Test
    void aServerAloneIsAskedForItsOwnDisk() {
        replica.kill();
        primary.command("REPLICAOF", "NO", "ONE");
        await().atMost(Duration.ofSeconds(20))
                .until(() -> primary.command("INFO", "replication").contains("connected_slaves:0"));
        later.counts(1, 0);
        try (RedisTier tier = open(later.port())) {
            assertThat(sync(tier, entry("a"))).isEqualTo(new StoreOutcome.Applied(1, 1));
            later.counts(0, 0);
            assertThat(sync(tier, entry("b"))).isEqualTo(new StoreOutcome.Underacknowledged(TierLevel.L2, 0, 1));
            assertThat(later.waits()).hasSize(2);
        }
    }

    /** The server that is installed here, for real. */
    @Test
    void aServerThatCannotTellIsAskedForItsMemoryAndThatIsSaid() {
        try (RedisTier tier = open(primary.port())) {
            assertThat(sync(tier, entry("a"))).isEqualTo(new StoreOutcome.Applied(2, 2));
            assertThat(tier.status().detail()).contains("wait_for_disk", "memory", "7.2");
        }
        later.says("7.4.1", false);
        try (RedisTier tier = open(later.port())) {
            assertThat(sync(tier, entry("b"))).isEqualTo(new StoreOutcome.Applied(2, 2));
            assertThat(tier.status().detail()).contains("wait_for_disk", "appendonly yes");
            assertThat(later.waits()).isEmpty();
        }
    }

    @Test
    void versionsAreReadAsNumbers() {
        assertThat(DiskAcks.missing(Map.of("redis_version", "7.10.0", "aof_enabled", "1")))
                .isEmpty();
        assertThat(DiskAcks.missing(Map.of("redis_version", "10.0.1", "aof_enabled", "1")))
                .isEmpty();
        assertThat(DiskAcks.missing(Map.of("redis_version", "6.9.9", "aof_enabled", "1")))
                .contains("6.9.9");
        assertThat(DiskAcks.missing(Map.of())).contains("unknown");
    }
}
