package dev.terrace.tier.redis;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TierContract;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The remote tier over the server that is installed here, often an older one than the bundled. */
class InstalledServerTierContractIT extends TierContract {
    private static RedisProcess redis;

    @BeforeAll
    static void start() {
        Path binary = RedisProcess.installedBinary();
        if (binary == null) {
            System.out.println("InstalledServerTierContractIT skipped: no redis-server on the PATH");
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
    protected Tier openTier() {
        redis.command("FLUSHALL");
        return RedisFixture.openReady(RedisFixture.settings(redis.port()), clock, new MetricRegistry());
    }
}
