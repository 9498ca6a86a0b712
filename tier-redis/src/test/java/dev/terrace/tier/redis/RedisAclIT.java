package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.awaitReady;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.spi.Entry;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Redis user of its own, with the permissions that are needed and no others. */
class RedisAclIT {
    /** What a tier needs; what its scripts call counts too. */
    private static final List<String> TIER = List.of(
            "~test:*",
            "+ping",
            "+info",
            "+get",
            "+mget",
            "+set",
            "+del",
            "+unlink",
            "+getrange",
            "+scan",
            "+evalsha",
            "+script|load");

    /** What leases and fleet-wide rates need beyond. */
    private static final List<String> LEASES = List.of("~{test:*", "+pttl", "+time");

    /** What sliding needs beyond. */
    private static final List<String> SLIDES = List.of("+setrange", "+pexpire", "+persist");

    /** What a zone needs beyond a tier. */
    private static final List<String> ZONE = List.of("~{test:*", "+eval", "+pttl", "+script|exists");

    private RedisProcess redis;

    @BeforeEach
    void start() {
        redis = RedisProcess.start();
    }

    @AfterEach
    void stop() {
        redis.close();
    }

    @SafeVarargs
    private void user(List<String>... rules) {
        List<String> words = new ArrayList<>(List.of("ACL", "SETUSER", "app", "reset", "on", ">secret"));
        for (List<String> some : rules) {
            words.addAll(some);
        }
        assertThat(redis.command(words.toArray(String[]::new))).startsWith("+OK");
    }

    private DistributedCacheSettings settings() {
        return RedisFixture.settings(Topology.STANDALONE, "app", "secret", redis.port());
    }

    private RedisTier open() {
        return RedisFixture.open(settings(), InstantSource.system(), new MetricRegistry());
    }

    @Test
    void aTierWorksWithTheDocumentedPermissions() {
        user(TIER);
        try (RedisTier tier = open()) {
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(tier.putAll(List.of(entry("b"), entry("c"))))).containsOnly(StoreOutcome.APPLIED);
            assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
            assertThat(answer(tier.getAll(List.of(key("b"), key("c")))).values())
                    .allMatch(Lookup.Hit.class::isInstance);
            answer(tier.clear("faults", entry("x", 60_000).version()));
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(redis.command("DBSIZE")).startsWith(":0"));
        }
    }

    @Test
    void leasesAndRatesWorkWithTheDocumentedPermissionsAndWithoutThemTheRestDoes() {
        user(TIER, LEASES);
        LeaseStore.Claim claim =
                new LeaseStore.Claim(key("a"), "me", Duration.ofSeconds(5), dev.terrace.spi.Version.ZERO);
        RateStore.Rate rate = new RateStore.Rate(10, 10);
        try (RedisTier tier = open()) {
            awaitReady(tier);
            assertThat(answer(tier.leases().claim(claim))).isInstanceOf(LeaseStore.Claimed.Granted.class);
            assertThat(answer(
                            tier.leases().claim(new LeaseStore.Claim(key("a"), "other", Duration.ofSeconds(5), null))))
                    .isInstanceOf(LeaseStore.Claimed.Held.class);
            assertThat(answer(tier.leases().release(key("a"), "me"))).isEqualTo(LeaseStore.Released.WANTED);
            assertThat(answer(tier.rates().take("b", 1, 0, rate))).isInstanceOf(RateStore.Taken.Tokens.class);
            user(TIER);
            assertThat(answer(tier.leases().claim(claim)))
                    .isInstanceOfSatisfying(
                            LeaseStore.Claimed.Unavailable.class,
                            no -> assertThat(no.detail()).contains("NOPERM"));
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    void livesAreLengthenedWithTheDocumentedPermissionsInTiersAndZones() {
        Entry brief = entry("a", 60_000);
        Entry longer = new Entry(
                brief.key(),
                brief.kind(),
                brief.version(),
                brief.createdMillis(),
                brief.freshUntilMillis() + 60_000,
                brief.staleUntilMillis() + 60_000,
                brief.tags(),
                brief.payload());
        user(TIER);
        try (RedisTier tier = open()) {
            awaitReady(tier);
            assertThat(put(tier, brief)).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(tier.prolong(longer))).isEqualTo(Prolonging.Prolonged.UNAVAILABLE);
            assertThat(get(tier, "a")).isEqualTo(new Lookup.Hit(brief));
            user(TIER, SLIDES);
            assertThat(answer(tier.prolong(longer))).isEqualTo(Prolonging.Prolonged.DONE);
            assertThat(get(tier, "a")).isEqualTo(new Lookup.Hit(longer));
        }
        redis.command("FLUSHALL");
        user(TIER, ZONE, SLIDES);
        try (RedisZone zone = ZoneFixture.admitted(ZoneFixture.open("a", settings()))) {
            assertThat(ZoneFixture.put(zone, brief)).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(zone.prolong(longer))).isEqualTo(Prolonging.Prolonged.DONE);
            assertThat(answer(zone.get(brief.key()))).isEqualTo(new Lookup.Hit(longer));
        }
    }

    @Test
    void aZoneWorksWithTheDocumentedPermissions() {
        user(TIER, ZONE);
        try (RedisZone zone = ZoneFixture.admitted(ZoneFixture.open("a", settings()))) {
            assertThat(ZoneFixture.put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(zone.promise(key("a"), entry("a", 9).version(), Duration.ofSeconds(5))))
                    .isInstanceOf(dev.terrace.spi.Replica.Promise.Given.class);
            assertThat(answer(zone.restore(entry("b")))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(zone.page(null, 100)).items()).hasSize(2);
            assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
        }
    }

    @Test
    @Tag("F24")
    void aMissingPermissionIsNamedAtTheStart() {
        user(TIER, List.of("-script"));
        try (RedisTier tier = open()) {
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(tier.status().detail()).contains("NOPERM"));
            assertThat(tier.status().detail()).contains("script");
            user(TIER);
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F24")
    void aPermissionTakenAwayIsNamedAndItsReturnIsNoticed() {
        user(TIER);
        try (RedisTier tier = open()) {
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(redis.command("ACL", "SETUSER", "app", "-get")).startsWith("+OK");
            Lookup.Unavailable no = (Lookup.Unavailable) get(tier, "a");
            assertThat(no.cause()).isEqualTo(Unavailability.ERROR);
            assertThat(no.detail()).contains("NOPERM").contains("get");
            assertThat(put(tier, entry("a", 2))).as("the rest works").isEqualTo(StoreOutcome.APPLIED);
            assertThat(redis.command("ACL", "SETUSER", "app", "+get")).startsWith("+OK");
            assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
        }
    }

    @Test
    @Tag("F24")
    void keysOfOthersAreOutOfReach() {
        user(TIER, List.of("resetkeys", "~elsewhere:*"));
        try (RedisTier tier = open()) {
            awaitReady(tier);
            assertThat(((Lookup.Unavailable) get(tier, "a")).detail()).contains("NOPERM");
            assertThat(put(tier, entry("a"))).isInstanceOf(StoreOutcome.Unavailable.class);
        }
    }
}
