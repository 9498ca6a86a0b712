package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Replica;
import dev.terrace.testkit.ReplicaContract;
import dev.terrace.testkit.redis.RedisProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A zone of one server, of the oldest version that is supported. */
class ZoneContractIT extends ReplicaContract {
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
    protected Replica openZone() {
        redis.command("FLUSHALL");
        return openAgain();
    }

    @Override
    protected Replica openAgain() {
        return ZoneFixture.reached(
                ZoneFixture.open("a", RedisFixture.settings(redis.port()), clock, new MetricRegistry()));
    }

    @Override
    protected void forget() {
        redis.command("SCRIPT", "FLUSH");
    }
}
