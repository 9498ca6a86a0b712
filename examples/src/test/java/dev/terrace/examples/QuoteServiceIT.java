package dev.terrace.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Source;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.examples.QuoteService.Quote;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example runs, with the settings file beside it, a real Redis and a real backup folder. */
class QuoteServiceIT {
    @TempDir
    Path folder;

    private final AtomicInteger asked = new AtomicInteger();

    private Quote market(String symbol) {
        return new Quote(symbol, 100 + asked.incrementAndGet());
    }

    private Settings settings(RedisProcess redis) {
        return SettingsLoader.read(
                        Path.of("terrace.yaml"),
                        Map.of(
                                "REDIS_ADDRESS",
                                "127.0.0.1:" + redis.port(),
                                "BACKUP_PATH",
                                folder.resolve("backup").toString(),
                                "BACKUP_PASSPHRASE",
                                "correct horse battery staple"))
                .settings();
    }

    @Test
    void theMarketIsAskedOnceUntilItMoves() {
        try (RedisProcess redis = RedisProcess.start();
                CacheCoordinator terrace = CacheCoordinator.open(settings(redis))) {
            QuoteService service = new QuoteService(terrace, this::market);

            assertThat(service.quote("ACME")).isEqualTo(new Quote("ACME", 101));
            assertThat(service.quote("ACME")).isEqualTo(new Quote("ACME", 101));
            assertThat(service.known("ACME").source()).isEqualTo(Source.L1);

            service.moved("ACME");
            assertThat(service.known("ACME").isPresent()).isFalse();
            assertThat(service.quote("ACME")).isEqualTo(new Quote("ACME", 102));
        }
    }

    @Test
    void afterARestartRedisAnswersAndAfterLosingRedisTooTheBackupDoes() {
        try (RedisProcess redis = RedisProcess.start()) {
            try (CacheCoordinator terrace = CacheCoordinator.open(settings(redis))) {
                awaitAllTiers(terrace);
                QuoteService service = new QuoteService(terrace, this::market);
                service.quote("ACME");
                Awaitility.await()
                        .atMost(Duration.ofSeconds(10))
                        .until(() -> !redis.command("DBSIZE").startsWith(":0"));
            }
            assertThat(firstReadOfANewProcess(redis)).isEqualTo(Source.L2);
            redis.command("FLUSHALL");
            assertThat(firstReadOfANewProcess(redis)).isEqualTo(Source.L3);
        }
        assertThat(asked).hasValue(1);
    }

    private Source firstReadOfANewProcess(RedisProcess redis) {
        try (CacheCoordinator terrace = CacheCoordinator.open(settings(redis))) {
            awaitAllTiers(terrace);
            return new QuoteService(terrace, this::market).known("ACME").source();
        }
    }

    /** Opening does not wait for Redis; here it matters who answers. */
    private static void awaitAllTiers(CacheCoordinator terrace) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> terrace.tiers().stream().allMatch(tier -> tier.state() == TierStatus.State.READY));
    }
}
