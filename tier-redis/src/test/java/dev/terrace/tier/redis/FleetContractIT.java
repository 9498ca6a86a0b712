package dev.terrace.tier.redis;

import dev.terrace.spi.Coordinating;
import dev.terrace.testkit.FleetContract;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class FleetContractIT extends FleetContract {
    private static RedisProcess redis;
    private static RedisTier tier;

    @BeforeAll
    static void start() {
        redis = RedisProcess.start();
        tier = RedisFixture.openReady(redis.port());
    }

    @AfterAll
    static void stop() {
        tier.close();
        redis.close();
    }

    @Override
    protected Coordinating tier() {
        return tier;
    }

    /** The server's own clock is what counts here. */
    @Override
    protected void pass(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }
}
