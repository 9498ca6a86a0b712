package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.ZoneFixture.admitted;
import static dev.terrace.tier.redis.ZoneFixture.assertTakesNoPart;
import static dev.terrace.tier.redis.ZoneFixture.awaitStanding;
import static dev.terrace.tier.redis.ZoneFixture.open;
import static dev.terrace.tier.redis.ZoneFixture.put;
import static dev.terrace.tier.redis.ZoneFixture.reached;
import static dev.terrace.tier.redis.ZoneFixture.vote;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who is not the zone that it should be is refused. */
class ZoneIdentityIT {
    private static final String RECORD = new RedisKeys("test").zoneRecord();

    @Test
    @Tag("F25")
    void aZoneAtAnotherZonesAddressIsRefused() {
        try (RedisProcess first = RedisProcess.start();
                RedisProcess second = RedisProcess.start();
                TcpProxy atA = TcpProxy.to(first.port());
                TcpProxy atB = TcpProxy.to(second.port());
                RedisZone a = admitted(open("a", atA.port()));
                RedisZone b = admitted(open("b", atB.port()))) {
            assertThat(put(a, entry("x", 1))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(put(b, entry("x", 2))).isEqualTo(StoreOutcome.APPLIED);
            String before = first.command("GET", new RedisKeys("test").of(key("x")));
            atA.retarget(second.port());
            atB.retarget(first.port());
            awaitStanding(a, Standing.FOREIGN);
            awaitStanding(b, Standing.FOREIGN);
            for (RedisZone zone : List.of(a, b)) {
                assertTakesNoPart(zone, Unavailability.ERROR);
                assertThat(((Lookup.Unavailable) answer(zone.get(key("x")))).detail())
                        .contains("is zone '");
                assertThat(answer(zone.restore(entry("x", 9)))).isInstanceOf(StoreOutcome.Unavailable.class);
                assertThat(answer(zone.begin("another-token"))).isFalse();
                assertThat(answer(zone.admit("another-token"))).isFalse();
                assertThat(answer(zone.page(null, 10)).failure()).contains("is zone '");
                assertThat(zone.status().detail()).contains("is zone '");
            }
            assertThat(first.command("GET", new RedisKeys("test").of(key("x")))).isEqualTo(before);
            try (RedisZone opened = open("a", second.port())) {
                awaitStanding(opened, Standing.FOREIGN);
                assertThat(answer(opened.put(entry("x", 9), WriteCondition.IF_NEWER)))
                        .isInstanceOf(StoreOutcome.Unavailable.class);
            }
            atA.retarget(first.port());
            atB.retarget(second.port());
            awaitStanding(a, Standing.MEMBER);
            awaitStanding(b, Standing.MEMBER);
            assertThat(put(a, entry("x", 3))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(vote(b, key("x"))).isInstanceOf(Lookup.Hit.class);
        }
    }

    @Test
    void somethingElseUnderTheRecordsKeyIsRefused() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.command("SET", RECORD, "something else");
            try (RedisZone zone = open("a", redis.port())) {
                awaitStanding(zone, Standing.FOREIGN);
                assertThat(answer(zone.begin("token"))).isFalse();
                assertThat(answer(zone.admit("token"))).isFalse();
                assertTakesNoPart(zone, Unavailability.ERROR);
            }
            redis.command("DEL", RECORD);
            redis.command("SET", new RedisKeys("test").of(key("left")), "from before");
            try (RedisZone zone = open("a", redis.port())) {
                awaitStanding(zone, Standing.FORGETFUL);
            }
        }
    }

    @Test
    void aTokenThatIsNoneIsRefused() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = reached(open("a", redis.port()))) {
            for (String token : List.of("", "two words", "'] = true", "\n", "x".repeat(65))) {
                assertThat(answer(zone.begin(token))).as(token).isFalse();
                assertThat(answer(zone.admit(token))).as(token).isFalse();
            }
            assertThat(answer(zone.examine())).isEqualTo(Standing.NEW);
        }
    }
}
