package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.WarmupPlan;
import dev.terrace.core.WarmupReport;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Warm-ups of nodes over a real Redis, each with a RocksDB of its own. */
class WarmupIT {
    private static final int ENTRIES = 3_000;

    @TempDir
    Path folder;

    private static Cache<String, String> cache(NodeFixture node) {
        return node.coordinator().cache("warm", Codecs.stringKey(), Codecs.string());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path target = to.resolve(from.relativize(path));
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }

    @Test
    void threeNodesShareTheWorkAndWhatOnlyOneOfThemHoldsIsCopiedToo() throws Exception {
        List<Path> backups = List.of(folder.resolve("a"), folder.resolve("b"), folder.resolve("c"));
        List<NodeFixture> nodes = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (RedisProcess redis = RedisProcess.start()) {
            try (NodeFixture first = new NodeFixture(redis.port(), backups.get(0), null, null)) {
                first.awaitReady();
                Map<String, String> all = new HashMap<>();
                for (int i = 0; i < ENTRIES; i++) {
                    all.put("k" + i, "v" + i);
                }
                cache(first).putAll(all);
            }
            copy(backups.get(0), backups.get(1));
            copy(backups.get(0), backups.get(2));
            for (Path backup : backups) {
                NodeFixture node = new NodeFixture(redis.port(), backup, null, null);
                nodes.add(node);
                node.awaitReady();
            }
            cache(nodes.get(2)).put("only here", "v");
            redis.command("FLUSHALL");
            List<Callable<WarmupReport>> jobs = new ArrayList<>();
            for (NodeFixture node : nodes) {
                WarmupPlan slowly = new WarmupPlan(Set.of("warm"), Long.MAX_VALUE, 600, true);
                jobs.add(() -> node.coordinator().warmUp(slowly, progress -> {}));
            }
            long copied = 0;
            for (Future<WarmupReport> report : threads.invokeAll(jobs)) {
                assertThat(report.get().outcome()).isEqualTo(WarmupReport.Outcome.EXHAUSTED);
                assertThat(report.get().progress().failed()).isZero();
                copied += report.get().progress().copied();
            }
            // A lease that was lost on a machine that stood still costs a part that is copied twice.
            assertThat(copied).isBetween(ENTRIES + 1L, ENTRIES + ENTRIES / 10L);
            for (String key : List.of("k0", "k1234", "only%20here")) {
                assertThat(redis.command("EXISTS", "terrace:warm:" + key)).startsWith(":1");
            }
        } finally {
            threads.shutdownNow();
            nodes.forEach(NodeFixture::close);
        }
    }
}
