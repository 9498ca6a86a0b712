package dev.terrace.testkit.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The tools that break real servers do what they say. */
class RedisFaultToolsIT {
    private static RedisProcess persistent() {
        return RedisProcess.start(
                RedisProcess.preferredBinary("RedisFaultToolsIT"),
                RedisProcess.freePort(),
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec");
    }

    private static String get(RedisProcess redis, String key) {
        String answer = redis.command("GET", key);
        return answer.startsWith("$-1") ? "-" : answer.split("\r\n")[1];
    }

    @Test
    void aServerRestartsWithEverythingWithNothingRolledBackOrFromYesterday() {
        try (RedisProcess redis = persistent()) {
            assertThat(redis.version()).matches("[67]\\.\\d+\\..*");
            redis.command("SET", "a", "1");
            Path yesterday = redis.keepData();
            redis.command("SET", "a", "2");
            redis.command("SET", "b", "2");
            redis.kill();
            assertThat(redis.isAlive()).isFalse();
            redis.restart();
            assertThat(get(redis, "a")).isEqualTo("2");

            // The last command is "*3 $3 SET $1 b $1 2" in 27 bytes: without its last byte it is gone.
            assertThat(redis.restartRolledBack(1)).isEqualTo(1);
            assertThat(get(redis, "a")).isEqualTo("2");
            assertThat(get(redis, "b")).isEqualTo("-");

            redis.restartFrom(yesterday);
            assertThat(get(redis, "a")).isEqualTo("1");

            redis.restartEmpty();
            assertThat(get(redis, "a")).isEqualTo("-");
        }
    }

    @Test
    void clientsArePausedWhileTheServerLives() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.pauseClients(Duration.ofMillis(900));
            assertThatThrownBy(() -> ping(redis.port())).isInstanceOf(SocketTimeoutException.class);
            await().atMost(Duration.ofSeconds(5))
                    .ignoreExceptions()
                    .until(() -> ping(redis.port()).equals("+PONG"));
        }
    }

    private static String pingThrough(TcpProxy proxy) throws IOException {
        return ping(proxy.port());
    }

    private static String ping(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(400);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII);
        }
    }

    @Test
    void aProxySlowsDownLosesResetsAndRefusesOneDirectionOrBoth() throws IOException {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port())) {
            assertThat(pingThrough(proxy)).isEqualTo("+PONG");

            proxy.answers().delay(Duration.ofMillis(100)).jitter(Duration.ofMillis(20));
            long begin = System.nanoTime();
            assertThat(pingThrough(proxy)).isEqualTo("+PONG");
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)).isGreaterThanOrEqualTo(100);
            proxy.heal();

            proxy.requests().bandwidth(40);
            begin = System.nanoTime();
            assertThat(pingThrough(proxy)).isEqualTo("+PONG");
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)).isGreaterThanOrEqualTo(150);
            proxy.heal();

            proxy.mode(TcpProxy.Mode.LOSE_ANSWERS);
            assertThatThrownBy(() -> pingThrough(proxy)).isInstanceOf(SocketTimeoutException.class);
            proxy.heal();

            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port())) {
                await().until(() -> proxy.connections() > 0);
                proxy.reset();
                assertThatThrownBy(() -> socket.getInputStream().read())
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("reset");
            }

            proxy.refuse(true);
            assertThatThrownBy(() -> {
                        String answer = pingThrough(proxy);
                        throw new IOException("answered: '" + answer + "'");
                    })
                    .isInstanceOf(IOException.class)
                    .hasMessageNotContaining("PONG");
            proxy.heal();
            assertThat(pingThrough(proxy)).isEqualTo("+PONG");
        }
    }

    @Test
    void aClusterMovesSlotsFailsOverAndCutsReplication() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startShards(1, 0, 0)) {
            List<RedisProcess> all = new ArrayList<>(cluster.nodes());
            all.addAll(cluster.replicas());
            // The votes of those that it has not heard of do not count for a replica.
            for (RedisProcess one : all) {
                String known = one.command("CLUSTER", "NODES");
                assertThat(all).allSatisfy(other -> assertThat(known).contains(":" + other.port() + "@"));
                assertThat(known.lines().filter(line -> line.contains("slave"))).hasSize(1);
            }
            int slot = cluster.slotOf("{k}");
            RedisProcess from = cluster.ownerOf(slot);
            for (String key : List.of("{k}1", "{k}2", "{k}3")) {
                assertThat(from.command("SET", key, key)).startsWith("+OK");
            }
            RedisProcess to = cluster.nodes().stream()
                    .filter(node -> node != from)
                    .findFirst()
                    .orElseThrow();
            cluster.migrateSlot(slot, to);
            assertThat(cluster.ownerOf(slot)).isSameAs(to);
            assertThat(get(to, "{k}2")).isEqualTo("{k}2");
            assertThat(from.command("GET", "{k}2")).startsWith("-MOVED " + slot);

            RedisProcess replica = cluster.replicas().get(0);
            RedisProcess primary = cluster.primaryOf(replica);
            assertThat(cluster.replicasOf(primary)).containsExactly(replica);
            cluster.cutReplication(replica);
            assertThat(primary.command("CLUSTER", "NODES")).doesNotContain("fail");
            cluster.mendReplication(replica);
            cluster.failover(replica);
            await().atMost(Duration.ofSeconds(20)).until(() -> cluster.ownerOf(0) == replica);

            primary.kill();
            assertThat(cluster.describe())
                    .contains(
                            "redis-server on port " + primary.port() + "\nhas ended\n",
                            "role:master",
                            "cluster_state:ok");
        }
    }

    @Test
    void aServerTellsWhatItPrintedAndEachThingOnce() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.command("SAVE");
            redis.command("SAVE");
            assertThat(redis.log().lines().filter(line -> line.contains("DB saved on disk")))
                    .hasSize(2);
            assertThat(redis.describe())
                    .contains("redis-server on port " + redis.port(), "role:master", "Ready to accept connections")
                    .containsOnlyOnce("DB saved on disk");
        }
    }
}
