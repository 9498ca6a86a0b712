package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TierContract;
import dev.terrace.testkit.redis.RedisProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class RedisTierContractIT extends TierContract {
    private static RedisProcess redis;

    @BeforeAll
    static void start() {
        redis = RedisProcess.start();
    }

    @AfterAll
    static void stop() {
        redis.close();
    }

    @Override
    protected Tier openTier() {
        redis.command("FLUSHALL");
        return RedisFixture.openReady(RedisFixture.settings(redis.port()), clock, new MetricRegistry());
    }
}
