package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.testkit.BackplaneContract;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The log on the bundled server, 6.2. */
class LogContractIT extends BackplaneContract {
    private final Map<Backplane, TcpProxy> proxies = new HashMap<>();
    private RedisProcess redis;

    RedisProcess startServer() {
        return RedisProcess.start();
    }

    static RedisProcess startInstalled(Path binary) {
        return RedisProcess.start(binary, RedisProcess.freePort());
    }

    @BeforeEach
    void start() {
        redis = startServer();
    }

    @AfterEach
    void stop() {
        proxies.values().forEach(TcpProxy::close);
        proxies.clear();
        if (redis != null) {
            redis.close();
        }
    }

    @Override
    protected Backplane openBackplane() {
        TcpProxy proxy = TcpProxy.to(redis.port());
        Backplane log = new RedisLog("", RedisFixture.settings(proxy.port()), new MetricRegistry());
        proxies.put(log, proxy);
        return log;
    }

    @Override
    protected void cut(Backplane backplane) {
        proxies.get(backplane).mode(TcpProxy.Mode.LOSE_ALL);
    }

    @Override
    protected void mend(Backplane backplane) {
        proxies.get(backplane).mode(TcpProxy.Mode.PASS);
    }

    @Override
    protected void forgetAll() {
        redis.command("XTRIM", LogKeys.of("test").stream(), "MAXLEN", "0");
    }
}
