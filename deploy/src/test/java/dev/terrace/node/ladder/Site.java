package dev.terrace.node.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.health.HealthCheck;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadOnlyException;
import dev.terrace.api.Rung;
import dev.terrace.api.TerraceException;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A node with its Redis servers behind links, its RocksDB, an origin, and a reader that never stops. */
final class Site implements AutoCloseable {
    static final Duration SLOW = Duration.ofSeconds(2);
    private static final Duration BEGIN = Duration.ofSeconds(60);
    private static final int HELD = 200;
    private static final long BETWEEN_READS_NANOS = 1_000_000;
    private static final int REFUSALS = 100;

    final List<RedisProcess> redis = new ArrayList<>();
    final List<TcpProxy> links = new ArrayList<>();
    final CacheCoordinator node;
    final Cache<String, String> quotes;
    private final Cache<String, String> brief;
    private final Path backup;
    private final AtomicLong reads = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> firstFailure = new AtomicReference<>();
    private volatile boolean originDead;
    private volatile boolean originWasDead;
    private volatile boolean stop;
    private String refused = "";
    private final Thread reader;

    /** What became of reads: of keys that are held, and, while the origin lives, of others. */
    record Reads(long all, long failed, @Nullable Throwable firstFailure, String refused, String behind) {}

    Site(Path folder, int zones) throws IOException {
        Files.createDirectories(folder);
        backup = folder.resolve("l3");
        for (int i = 0; i < zones; i++) {
            redis.add(RedisProcess.start());
            links.add(TcpProxy.to(redis.get(i).port()));
        }
        Path file = folder.resolve("terrace.yaml");
        Files.writeString(file, settings(zones));
        node = CacheCoordinator.builder()
                .settings(SettingsLoader.read(file, Map.of()).settings())
                .originCheck(new OriginCheck())
                .build();
        quotes = node.cache("quotes", Codecs.stringKey(), Codecs.string());
        brief = node.cache("brief", Codecs.stringKey(), Codecs.string());
        await("begin")
                .atMost(BEGIN)
                .ignoreExceptionsInstanceOf(TerraceException.class)
                .until(() -> quotes.put("first", "v").stored().contains(TierLevel.L2));
        for (int i = 0; i < HELD; i++) {
            quotes.put("k" + i, "v");
        }
        brief.put("held", "v");
        awaitUntil(BEGIN, "well at the beginning", Site::isWell);
        reader = new Thread(this::readOn, "reader");
        reader.start();
    }

    private String settings(int zones) {
        StringBuilder l2 = new StringBuilder("enabled: true, ttl: 1h, ");
        if (zones == 1) {
            l2.append("topology: standalone, cluster_nodes: [\"127.0.0.1:%d\"]"
                    .formatted(links.get(0).port()));
        } else {
            l2.append("replication_factor: 3, consistency_level: async, zones: [");
            for (int i = 0; i < zones; i++) {
                l2.append("{name: zone-%d, nodes: [\"127.0.0.1:%d\"]}, "
                        .formatted(i, links.get(i).port()));
            }
            l2.append("]");
        }
        return """
                distributed_cache:
                  local_cache: {enabled: true, capacity: 10000, max_memory_mb: 16, ttl: "1h"}
                  distributed_cache: {%s}
                  backup_storage: {enabled: true, path: "%s"}
                  backplane: {enabled: false}
                  caches:
                    quotes: {ttl: 1h, stale_ttl: 1h}
                    brief: {ttl: 1s, stale_ttl: 1h}
                """.formatted(l2, backup);
    }

    private final class OriginCheck extends HealthCheck {
        @Override
        protected Result check() {
            return originDead ? Result.unhealthy("the origin is dead") : Result.healthy();
        }
    }

    private String load(String key) {
        if (originDead) {
            throw new IllegalStateException("the origin is dead");
        }
        return "v";
    }

    private void readOn() {
        for (long i = 0; !stop; i++) {
            // A while after it was dead, an origin is still spared.
            String key = originWasDead || i % 4 != 0 ? "k" + i % HELD : "new" + i;
            try {
                if (quotes.get(key, this::load) == null) {
                    throw new AssertionError("no value of " + key);
                }
            } catch (RuntimeException | Error e) {
                if (!originWasDead || key.startsWith("k")) {
                    failed.incrementAndGet();
                    firstFailure.compareAndSet(null, e);
                }
            }
            reads.incrementAndGet();
            LockSupport.parkNanos(BETWEEN_READS_NANOS);
        }
    }

    void awaitUntil(Duration atMost, String what, Predicate<Site> condition) {
        await(what)
                .atMost(atMost)
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(() -> assertThat(condition.test(this))
                        .as(() -> node.ladder().toString())
                        .isTrue());
    }

    boolean isAt(Rung rung) {
        return node.ladder().rung() == rung;
    }

    boolean says(String part, String word) {
        return String.valueOf(node.ladder().signals().get(part)).startsWith(word);
    }

    /** On NORMAL, every zone and the origin up. L3 is looked at when the process starts again. */
    boolean isWell() {
        return isAt(Rung.NORMAL)
                && node.ladder().signals().entrySet().stream()
                        .allMatch(part -> part.getKey().equals("disk")
                                || part.getKey().equals("l3")
                                || part.getValue().startsWith("up"));
    }

    /** What zones have yet to do before they count again; empty for nothing. */
    String behind() {
        StringBuilder behind = new StringBuilder();
        node.metrics().getGauges().forEach((name, gauge) -> {
            Object value = gauge.getValue();
            if (name.endsWith(".standing") && !"MEMBER".equals(value)
                    || name.endsWith(".hints.pending") && ((Number) value).longValue() > 0) {
                behind.append(behind.length() == 0 ? "" : ", ")
                        .append(name)
                        .append('=')
                        .append(value);
            }
        });
        return behind.toString();
    }

    void loseBoth() {
        try {
            // The tier may make a file meanwhile; a folder that is left, and empty, would be taken into use.
            while (Files.exists(backup)) {
                delete(backup);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        redis.forEach(RedisProcess::kill);
    }

    void loseAllButL1() {
        originWasDead = true;
        originDead = true;
        loseBoth();
    }

    void mendAllButL1() {
        originDead = false;
        redis.forEach(RedisProcess::restart);
    }

    /** What is promised while something is lost, besides that reads go on. */
    void whileItLasts(boolean dead) {
        if (isAt(Rung.READ_ONLY)) {
            assertThatThrownBy(() -> quotes.put("k", "w"))
                    .isInstanceOf(ReadOnlyException.class)
                    .hasMessageContaining("l2")
                    .hasMessageContaining("was removed");
            await().atMost(BEGIN).until(() -> brief.read("held").value() != null);
        } else {
            long quickest = Long.MAX_VALUE;
            for (int i = 0; i < 5; i++) {
                long begun = System.nanoTime();
                quotes.put("kept", "meanwhile");
                quickest = Math.min(quickest, System.nanoTime() - begun);
            }
            assertThat(Duration.ofNanos(quickest))
                    .as("nobody waits for what is left out")
                    .isLessThan(Duration.ofMillis(200));
        }
        if (dead) {
            // What was lost may have been noticed before the second was over in which it is fresh.
            await().atMost(BEGIN).until(() -> brief.read("held", this::load).freshness() == Freshness.STALE);
            assertThat(brief.read("held", this::load).value()).isEqualTo("v");
            refuse();
        }
    }

    private void refuse() {
        long[] nanos = new long[REFUSALS];
        for (int i = 0; i < REFUSALS; i++) {
            String key = "nobody has it " + i;
            long begun = System.nanoTime();
            assertThatThrownBy(() -> quotes.get(key, this::load)).isInstanceOf(TerraceException.class);
            nanos[i] = System.nanoTime() - begun;
        }
        Arrays.sort(nanos);
        Duration median = Duration.ofNanos(nanos[REFUSALS / 2]);
        refused = "refused, half of them within " + median.toNanos() / 1_000 + " us";
        assertThat(median).isLessThan(Duration.ofMillis(5));
    }

    Reads reads() {
        return new Reads(reads.get(), failed.get(), firstFailure.get(), refused, behind());
    }

    private static void delete(Path tree) throws IOException {
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, IOException e) throws IOException {
                try {
                    Files.deleteIfExists(dir);
                } catch (DirectoryNotEmptyException written) {
                    // The tier has made a new file meanwhile.
                    System.out.println("not empty any more: " + dir);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Override
    public void close() throws Exception {
        stop = true;
        reader.join(10_000);
        node.close();
        links.forEach(TcpProxy::close);
        redis.forEach(RedisProcess::close);
    }
}
