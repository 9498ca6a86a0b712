package dev.terrace.tier.redis;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;

/** Which server: the one that comes with the tests, or the one that is installed. */
enum AnyServer {
    BUNDLED,
    INSTALLED;

    RedisProcess start(String... arguments) {
        if (this == BUNDLED) {
            return RedisProcess.start(arguments);
        }
        Path binary = RedisProcess.installedBinary();
        if (binary == null) {
            System.out.println("skipped: no redis-server on the PATH");
        }
        assumeTrue(binary != null, "no redis-server on the PATH");
        return RedisProcess.start(binary, RedisProcess.freePort(), arguments);
    }

    /** Servers before 7.0 keep scripts over a restart with an append-only file, and share them with replicas. */
    boolean keepsScripts() {
        return this == BUNDLED;
    }
}
