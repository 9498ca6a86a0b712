package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import org.awaitility.Awaitility;

/** Zones for tests against real servers. */
final class ZoneFixture {
    static final Duration HEALED = Duration.ofSeconds(20);

    static {
        Awaitility.setDefaultPollInterval(Duration.ofMillis(20));
    }

    private ZoneFixture() {}

    static RedisZone open(String name, DistributedCacheSettings settings) {
        return open(name, settings, InstantSource.system(), new MetricRegistry());
    }

    static RedisZone open(String name, DistributedCacheSettings settings, InstantSource clock, MetricRegistry metrics) {
        return new RedisZone(name, settings, clock, metrics);
    }

    static RedisZone open(String name, int... ports) {
        return open(name, RedisFixture.settings(ports));
    }

    /** Waits until the zone is reached. */
    static RedisZone reached(RedisZone zone) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(answer(zone.examine())).isNotEqualTo(Standing.UNREACHABLE));
        return zone;
    }

    /** Waits until the zone is reached, and lets it vote. */
    static RedisZone admitted(RedisZone zone) {
        reached(zone);
        admit(zone);
        return zone;
    }

    static void admit(RedisZone zone) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(beginAndAdmit(zone)).isTrue());
    }

    static boolean beginAndAdmit(RedisZone zone) {
        String token = UUID.randomUUID().toString();
        return answer(zone.begin(token)) && answer(zone.admit(token));
    }

    static <T> T answer(java.util.concurrent.CompletionStage<T> stage) {
        return RedisFixture.answer(stage);
    }

    static void awaitStanding(RedisZone zone, Standing standing) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(answer(zone.examine())).isEqualTo(standing));
    }

    static StoreOutcome put(RedisZone zone, Entry entry) {
        return answer(zone.put(entry, WriteCondition.IF_NEWER));
    }

    static Lookup vote(RedisZone zone, CacheKey key) {
        return answer(zone.vote(key));
    }

    /** Nothing that counts towards a majority is answered; why is the same for all. */
    static void assertTakesNoPart(RedisZone zone, Unavailability... causes) {
        Entry entry = RedisFixture.entry("takes no part", 77);
        assertThat(((Lookup.Unavailable) vote(zone, entry.key())).cause()).isIn((Object[]) causes);
        assertThat(((Ballot.Unknown) answer(zone.query(entry.key()))).cause()).isIn((Object[]) causes);
        assertThat(((Promise.Unknown) answer(zone.promise(entry.key(), entry.version(), Duration.ofSeconds(1))))
                        .cause())
                .isIn((Object[]) causes);
        assertThat(((StoreOutcome.Unavailable) put(zone, entry)).cause()).isIn((Object[]) causes);
        assertThat(((StoreOutcome.Unavailable) answer(zone.accept(entry))).cause())
                .isIn((Object[]) causes);
    }

    static void awaitForgetful(RedisZone zone) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(vote(zone, key("takes no part")))
                        .isInstanceOfSatisfying(
                                Lookup.Unavailable.class,
                                no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL)));
        assertTakesNoPart(zone, Unavailability.FORGETFUL);
        assertThat(answer(zone.examine())).isEqualTo(Standing.FORGETFUL);
    }

    static void awaitSynced(RedisProcess replica) {
        await().atMost(HEALED)
                .untilAsserted(
                        () -> assertThat(replica.command("INFO", "replication")).contains("master_link_status:up"));
    }

    static void awaitHas(RedisProcess replica, String key) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(replica.command("EXISTS", new RedisKeys("test").of(key(key))))
                        .startsWith(":1"));
    }
}
