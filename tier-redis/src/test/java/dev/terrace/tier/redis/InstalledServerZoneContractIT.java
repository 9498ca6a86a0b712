package dev.terrace.tier.redis;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Replica;
import dev.terrace.testkit.ReplicaContract;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A zone of one server, of the version that is installed here. */
class InstalledServerZoneContractIT extends ReplicaContract {
    private static RedisProcess redis;

    @BeforeAll
    static void start() {
        Path binary = RedisProcess.installedBinary();
        if (binary == null) {
            System.out.println("InstalledServerZoneContractIT skipped: no redis-server on the PATH");
        }
        assumeTrue(binary != null, "no redis-server on the PATH");
        redis = RedisProcess.start(binary, RedisProcess.freePort());
    }

    @AfterAll
    static void stop() {
        if (redis != null) {
            redis.close();
        }
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
