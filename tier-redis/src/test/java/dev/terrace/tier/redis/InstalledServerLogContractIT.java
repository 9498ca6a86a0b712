package dev.terrace.tier.redis;

import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The log on the server that this machine has installed. */
class InstalledServerLogContractIT extends LogContractIT {
    @Override
    RedisProcess startServer() {
        Path binary = RedisProcess.installedBinary();
        if (binary == null) {
            String reason = "no redis-server on the PATH: the log's contract runs on the bundled server only";
            System.out.println(getClass().getSimpleName() + " skipped: " + reason);
            Assumptions.abort(reason);
            throw new IllegalStateException(reason);
        }
        return startInstalled(binary);
    }
}
