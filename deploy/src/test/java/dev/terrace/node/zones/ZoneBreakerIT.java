package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.Rung;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One zone of three whose calls fail or are slow while every try of it goes well: calls have the last word, nobody waits for the
 * zone, quorums go on without it, and it is handed what it missed.
 */
class ZoneBreakerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration RESET = Duration.ofMillis(500);
    private static final int KEYS = 100;

    @TempDir
    static Path folder;

    private static final List<RedisProcess> SERVERS = new ArrayList<>();
    private static final List<TcpProxy> LINKS = new ArrayList<>();
    private static CacheCoordinator node;
    private static Cache<String, String> accounts;
    private int written;

    @BeforeAll
    static void start() throws Exception {
        StringBuilder zones = new StringBuilder();
        for (int i = 0; i < 3; i++) {
            SERVERS.add(RedisProcess.start());
            LINKS.add(TcpProxy.to(SERVERS.get(i).port()));
            zones.append("{name: zone-%d, nodes: [\"127.0.0.1:%d\"]}, "
                    .formatted(i, LINKS.get(i).port()));
        }
        Path file = folder.resolve("terrace.yaml");
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: false}
                  distributed_cache: {enabled: true, timeout: 1s, replication_factor: 3, zones: [%s],
                                      hints: {max_entries: %d}}
                  circuit_breaker: {timeout: 150ms, reset_timeout: %dms}
                  backplane: {enabled: false}
                  caches:
                    accounts: {replication: quorum}
                """.formatted(zones, KEYS + KEYS / 10, RESET.toMillis()));
        node = CacheCoordinator.open(file);
        accounts = node.cache("accounts", Codecs.stringKey(), Codecs.string());
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(ReplicationException.class)
                .until(() -> accounts.put("first", "v").missed().isEmpty() && zone().startsWith("up"));
    }

    @AfterAll
    static void stop() {
        node.close();
        LINKS.forEach(TcpProxy::close);
        SERVERS.forEach(RedisProcess::close);
    }

    private static String zone() {
        return String.valueOf(node.ladder().signals().get("zone zone-0"));
    }

    private static long counter(String name) {
        return node.metrics().counter(name).getCount();
    }

    /** Writes and reads what a majority must agree on; returns what the ladder says of the zone then. */
    private String go() {
        String key = "k" + written % KEYS;
        String value = "v" + written++;
        assertThat(accounts.put(key, value).acknowledgements().acked()).isGreaterThanOrEqualTo(2);
        assertThat(accounts.read(key, ReplicationMode.QUORUM).value()).isEqualTo(value);
        return zone();
    }

    private void awaitZone(String what, String saying) {
        await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(1))
                .untilAsserted(() -> assertThat(go()).startsWith(saying));
    }

    private void isLeftAlone(Runnable broken, Runnable healed) {
        long failed = counter("health.zone.zone-0.failed");
        broken.run();
        awaitZone("noticed", "down: too many calls failed or were slow");
        assertThat(node.ladder().rung()).isEqualTo(Rung.NORMAL);
        long tried = counter("health.zone.zone-0.asked");
        long until = System.nanoTime() + 3 * RESET.toNanos();
        while (System.nanoTime() < until || counter("health.zone.zone-0.asked") < tried + 2) {
            assertThat(go()).as("tries go well, calls have the last word").doesNotStartWith("up");
        }
        assertThat(counter("health.zone.zone-0.failed")).isEqualTo(failed);
        assertThat(counter("guard.zone.zone-0.rejected")).isPositive();
        await("what it missed fills its room").atMost(PATIENCE).untilAsserted(() -> {
            go();
            assertThat(node.ladder().signals().get("hints"))
                    .startsWith("slow: writes that zone zone-0 missed are ")
                    .endsWith(" % full");
        });
        assertThat(node.ladder().rung()).isEqualTo(Rung.NORMAL);

        healed.run();
        awaitZone("well again", "up");
        String last = "v" + (written - 1);
        String key = "k" + (written - 1) % KEYS;
        await("handed what it missed").atMost(PATIENCE).untilAsserted(() -> {
            assertThat(node.metrics()
                            .getGauges()
                            .get("replication.zone.zone-0.hints.pending")
                            .getValue())
                    .isEqualTo(0);
            assertThat(SERVERS.get(0).command("GET", "terrace:accounts:" + key)).contains(last);
            assertThat(node.ladder().signals()).containsEntry("hints", "up");
        });
    }

    @Test
    @Tag("F67")
    void aZoneThatRefusesEntriesButTakesEveryTryIsLeftAlone() {
        RedisProcess server = SERVERS.get(0);
        isLeftAlone(
                () -> server.command("ACL", "SETUSER", "default", "resetkeys", "~{terrace:canary*", "~{terrace:zone*"),
                () -> server.command("ACL", "SETUSER", "default", "allkeys"));
    }

    @Test
    @Tag("F16")
    void aZoneThatIsSlowButAnswersEveryTryIsLeftAlone() {
        isLeftAlone(
                () -> LINKS.get(0).answers().delay(Duration.ofMillis(200)),
                () -> LINKS.get(0).heal());
    }
}
