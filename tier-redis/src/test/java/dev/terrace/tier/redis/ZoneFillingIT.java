package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.ZoneFixture.answer;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Replica.Standing;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A zone that loses what it was filled with, while it is being filled, is not admitted by that filling. */
@Tag("F05")
class ZoneFillingIT {
    private RedisProcess redis;
    private RedisZone zone;

    @BeforeEach
    void start() {
        redis = RedisProcess.start("--appendonly", "yes");
        zone = ZoneFixture.reached(ZoneFixture.open("east", redis.port()));
        assertThat(answer(zone.begin("filling-1"))).isTrue();
        answer(zone.restore(RedisFixture.entry("filled")));
    }

    @AfterEach
    void stop() {
        zone.close();
        redis.close();
    }

    @Test
    void aZoneThatStayedIsAdmittedAndTheMarkIsGone() {
        assertThat(answer(zone.admit("filling-1"))).isTrue();
        ZoneFixture.awaitStanding(zone, Standing.MEMBER);
        assertThat(redis.command("KEYS", "*filling*")).doesNotContain("filling-1");
    }

    @Test
    void twoFillingsDoNotDisturbEachOther() {
        assertThat(answer(zone.begin("filling-2"))).isTrue();
        assertThat(answer(zone.admit("filling-1"))).isTrue();
        assertThat(answer(zone.admit("filling-2"))).isTrue();
        ZoneFixture.awaitStanding(zone, Standing.MEMBER);
    }

    @ParameterizedTest
    @ValueSource(strings = {"with its file", "empty", "flushed"})
    void aZoneThatLostAnythingMeanwhileIsNot(String how) {
        switch (how) {
            case "empty" -> redis.restartEmpty();
            case "flushed" -> redis.command("FLUSHALL");
            default -> {
                redis.kill();
                redis.restart();
            }
        }
        ZoneFixture.reached(zone);
        assertThat(answer(zone.admit("filling-1"))).isFalse();
        assertThat(answer(zone.examine())).isNotEqualTo(Standing.MEMBER);
        // A new filling, begun after that, counts.
        assertThat(answer(zone.begin("filling-2"))).isTrue();
        assertThat(answer(zone.admit("filling-2"))).isTrue();
        ZoneFixture.awaitStanding(zone, Standing.MEMBER);
    }

    @Test
    void theInstalledServerIsNoDifferent() {
        Path installed = RedisProcess.installedBinary();
        // The bundled server is a 6.2, the installed one a 7: both are covered when both are there.
        if (installed == null) {
            return;
        }
        try (RedisProcess newer = RedisProcess.start(installed, RedisProcess.freePort(), "--appendonly", "yes");
                RedisZone other = ZoneFixture.reached(ZoneFixture.open("west", newer.port()))) {
            assertThat(answer(other.begin("filling-1"))).isTrue();
            newer.kill();
            newer.restart();
            ZoneFixture.reached(other);
            assertThat(answer(other.admit("filling-1"))).isFalse();
            assertThat(answer(other.begin("filling-2"))).isTrue();
            assertThat(answer(other.admit("filling-2"))).isTrue();
        }
    }
}
