package dev.terrace.examples.optimizer;

import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What the application depends on, and how to break it: a real Redis behind a link, a folder on disk, the API. Thread-safe. */
final class Surroundings implements AutoCloseable {
    /** Everything that can be broken, and how. */
    static final String CHOICES = "redis/kill, redis/freeze, redis/slow, redis/mend, disk/remove, disk/mend, api/slow,"
            + " api/flaky, api/dead, api/mend, all/mend";

    private static final Duration SLOW = Duration.ofSeconds(2);

    private final Path folder;
    private final Path disk;
    private final Path elsewhere;
    private final FlakyApi api = new FlakyApi();
    private final RedisProcess redis = RedisProcess.start();
    private final TcpProxy link = TcpProxy.to(redis.port());
    private boolean frozen;

    Surroundings() throws IOException {
        folder = Files.createTempDirectory("terrace-api-optimizer-");
        disk = folder.resolve("disk");
        elsewhere = folder.resolve("elsewhere");
        Files.createDirectories(disk);
    }

    String redisAddress() {
        return "127.0.0.1:" + link.port();
    }

    Path disk() {
        return disk;
    }

    FlakyApi api() {
        return api;
    }

    /** Does what is named to what is named; false when nobody knows that. */
    synchronized boolean apply(String what, String how) throws IOException {
        switch (what + "/" + how) {
            case "redis/kill" -> {
                thaw();
                redis.kill();
            }
            case "redis/freeze" -> {
                if (redis.isAlive()) {
                    redis.freeze();
                    frozen = true;
                }
            }
            case "redis/slow" -> link.delay(SLOW);
            case "redis/mend" -> mendRedis();
            case "disk/remove" -> {
                if (Files.exists(disk)) {
                    Files.move(disk, elsewhere);
                }
            }
            case "disk/mend" -> mendDisk();
            case "api/slow" -> api.be(FlakyApi.Mood.SLOW);
            case "api/flaky" -> api.be(FlakyApi.Mood.FLAKY);
            case "api/dead" -> api.be(FlakyApi.Mood.DEAD);
            case "api/mend" -> api.be(FlakyApi.Mood.USUAL);
            case "all/mend" -> {
                mendRedis();
                mendDisk();
                api.be(FlakyApi.Mood.USUAL);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void thaw() {
        if (frozen) {
            redis.thaw();
            frozen = false;
        }
    }

    private void mendRedis() {
        thaw();
        link.heal();
        if (!redis.isAlive()) {
            redis.restart();
        }
    }

    private void mendDisk() throws IOException {
        if (Files.exists(elsewhere)) {
            Files.move(elsewhere, disk);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        thaw();
        api.close();
        link.close();
        redis.close();
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }
}
