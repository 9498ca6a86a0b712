package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Somebody puts something else where the log of notices was. */
class LogClashIT {
    private static final Duration HEALED = Duration.ofSeconds(20);
    private static final long NODE = 7;

    private static final class Ear implements BackplaneListener {
        private final AtomicInteger heard = new AtomicInteger();
        private final AtomicInteger gaps = new AtomicInteger();

        @Override
        public void heard(List<Notice> notices, long position) {
            heard.addAndGet(notices.size());
        }

        @Override
        public void gap(String why) {
            gaps.incrementAndGet();
        }
    }

    private static long publish(RedisLog log, long number) {
        return RedisFixture.answer(log.publish(List.of(new Notice.Beat(NODE, number, 0, 1_000, false))));
    }

    @Test
    @Tag("F27")
    void aLogThatWasReplacedByAnotherTypeIsNotWrittenOverAndGoesOnWhenThatIsGone() {
        LogKeys keys = LogKeys.of("test");
        try (RedisProcess redis = RedisProcess.start();
                RedisLog log = new RedisLog("", RedisFixture.settings(redis.port()), new MetricRegistry())) {
            Ear ear = new Ear();
            log.start(NODE, ear);
            AtomicInteger number = new AtomicInteger();
            for (String clash : List.of(keys.stream(), keys.head())) {
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(publish(log, number.incrementAndGet()))
                                .isNotNegative());
                int heard = ear.heard.get();
                int gaps = ear.gaps.get();
                redis.commands(List.of(List.of("DEL", clash), List.of("SADD", clash, "somebody else's")));
                long begin = System.nanoTime();
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(publish(log, number.incrementAndGet()))
                                .isEqualTo(Backplane.NOT_KNOWN));
                assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin))
                        .isLessThan(10);
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(log.trouble()).contains("WRONGTYPE"));
                assertThat(redis.command("SMEMBERS", clash)).contains("somebody else's");
                redis.command("DEL", clash);
                await().atMost(HEALED).untilAsserted(() -> {
                    assertThat(publish(log, number.incrementAndGet())).isNotNegative();
                    assertThat(ear.heard.get()).isGreaterThan(heard);
                    // Of a stream that was lost, this node has heard everything.
                    assertThat(clash.equals(keys.stream()) || ear.gaps.get() > gaps)
                            .as("a gap when the head was lost")
                            .isTrue();
                    assertThat(log.trouble()).isEmpty();
                });
            }
        }
    }
}
