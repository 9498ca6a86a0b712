package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.WriteCondition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShrinkingTest {
    private static final long MIB = 1L << 20;
    private static final int KEYS = 20_000;

    @TempDir
    Path cgroup;

    final LocalFixture local = new LocalFixture();

    @BeforeEach
    void aContainerWithRoom() throws IOException {
        container(90, 300, 0);
    }

    private void container(long usedMib, long maxMib, long droppableMib) throws IOException {
        Files.writeString(cgroup.resolve("memory.max"), maxMib * MIB + "\n");
        Files.writeString(cgroup.resolve("memory.current"), usedMib * MIB + "\n");
        Files.writeString(cgroup.resolve("memory.stat"), "anon 1\ninactive_file " + droppableMib * MIB + "\nslab 3\n");
    }

    private OffHeapTier filled() {
        OffHeapTier tier = local.open(KEYS, 24, EvictionPolicy.ADAPTIVE, 90, cgroup);
        for (int i = 0; i < KEYS; i++) {
            tier.store(local.entry(CacheKey.of("c", "k" + i), payload(i), LocalFixture.TTL), WriteCondition.IF_NEWER);
        }
        return tier;
    }

    private static byte[] payload(int i) {
        byte[] payload = new byte[900];
        ByteBuffer.wrap(payload).putInt(i);
        return payload;
    }

    private static int soundOnes(OffHeapTier tier) {
        int found = 0;
        for (int i = 0; i < KEYS; i++) {
            if (tier.get(CacheKey.of("c", "k" + i)).toCompletableFuture().join() instanceof Lookup.Hit hit) {
                assertThat(ByteBuffer.wrap(hit.entry().payload()).getInt()).isEqualTo(i);
                found++;
            }
        }
        return found;
    }

    @Test
    void aContainerThatRunsFullMakesItGiveMemoryBackAndRoomLetsItGrowAgain() throws Exception {
        try (OffHeapTier tier = filled()) {
            LocalReport before = tier.report();
            tier.shrinking().look();
            assertThat(tier.report().memory().limit()).isEqualTo(before.memory().fullLimit());

            container(276, 300, 0);
            tier.shrinking().look();
            LocalReport after = tier.report();
            assertThat(after.memory().limit())
                    .isLessThanOrEqualTo(before.memory().live() - 6 * MIB);
            assertThat(after.memory().live()).isLessThanOrEqualTo(after.memory().limit());
            assertThat(after.evictions().get("shrink")).isEqualTo(before.entries() - after.entries());
            assertThat(after.container()).isEqualTo(new LocalReport.Container(276 * MIB, 300 * MIB, 1));
            assertThat(tier.status().detail()).contains("shrunk", "276 of 300 MiB");
            if (after.memory().resident() != ResidentPages.UNKNOWN) {
                System.out.println("resident before " + before.memory() + " after " + after.memory());
                assertThat(before.memory().resident() - after.memory().resident())
                        .as("given back to the system")
                        .isGreaterThan((before.memory().live() - after.memory().live()) * 8 / 10);
            }
            assertThat((long) soundOnes(tier)).isEqualTo(after.entries());

            container(255, 300, 0);
            for (int look = 0; look < 20; look++) {
                tier.shrinking().look();
            }
            assertThat(tier.report().memory().limit())
                    .as("between the two nothing moves")
                    .isEqualTo(after.memory().limit());

            container(90, 300, 0);
            for (int look = 0; look < MemoryPressure.CALM_LOOKS; look++) {
                assertThat(tier.report().memory().limit())
                        .isEqualTo(after.memory().limit());
                tier.shrinking().look();
            }
            assertThat(tier.report().memory().limit()).isEqualTo(before.memory().fullLimit());
            assertThat(tier.status().detail()).doesNotContain("shrunk");
            for (int i = 0; i < KEYS; i++) {
                tier.store(
                        local.entry(CacheKey.of("c", "k" + i), payload(i), LocalFixture.TTL), WriteCondition.IF_NEWER);
            }
            assertThat((long) soundOnes(tier))
                    .isEqualTo(tier.report().entries())
                    .isGreaterThan(before.entries() * 9 / 10);
            tier.shelf().budget.check();
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            assertThat(local.metrics.counter("l1.corrupt").getCount()).isZero();
        }
    }

    @Test
    void whatTheKernelCanDropAtOnceIsNotUsed() throws Exception {
        try (OffHeapTier tier = local.open(1_000, 16, EvictionPolicy.LRU, 90, cgroup)) {
            container(990, 1_000, 500);
            tier.shrinking().look();
            assertThat(tier.report().memory().limit())
                    .isEqualTo(tier.report().memory().fullLimit());
        }
    }

    @Test
    void whatIsInAFileIsTheSystemsToDropFromMemory(@TempDir Path folder) throws Exception {
        local.persistIn(folder);
        try (OffHeapTier tier = filled()) {
            LocalReport before = tier.report();
            container(300, 300, 0);
            tier.shrinking().look();
            LocalReport after = tier.report();
            assertThat(after.memory().limit()).isEqualTo(before.memory().limit());
            assertThat(after.entries()).isEqualTo(before.entries());
        }
    }

    @Test
    void itNeverShrinksToNothingAndWithoutALimitNotAtAll() throws Exception {
        try (OffHeapTier tier = local.open(1_000, 16, EvictionPolicy.LRU, 90, cgroup)) {
            container(1_000, 1_000, 0);
            for (int look = 0; look < 100; look++) {
                tier.shrinking().look();
            }
            long floor = tier.report().memory().limit();
            assertThat(floor).isBetween(1L, tier.report().memory().fullLimit() / 16);
            Files.writeString(cgroup.resolve("memory.max"), "max\n");
            tier.shrinking().look();
            assertThat(tier.report().container()).isNull();
            assertThat(tier.report().memory().limit())
                    .isEqualTo(tier.report().memory().fullLimit());
        }
    }

    @Test
    void aContainerThatCannotBeReadForAMomentChangesNothing() throws Exception {
        try (OffHeapTier tier = local.open(1_000, 16, EvictionPolicy.LRU, 90, cgroup)) {
            long full = tier.report().memory().fullLimit();
            container(276, 300, 0);
            tier.shrinking().look();
            long limit = tier.report().memory().limit();
            assertThat(limit).isLessThan(full);

            Path used = cgroup.resolve("memory.current");
            Files.delete(used);
            Files.createDirectory(used);
            for (int look = 0; look < 2 * MemoryPressure.CALM_LOOKS; look++) {
                tier.shrinking().look();
            }
            assertThat(tier.report().memory().limit()).isEqualTo(limit);
            assertThat(tier.report().container()).isEqualTo(new LocalReport.Container(276 * MIB, 300 * MIB, 1));
            assertThat(tier.status().detail()).contains("276 of 300 MiB");
            Files.delete(used);
            container(255, 300, 0);
            tier.shrinking().look();
            assertThat(tier.report().memory().limit()).isEqualTo(limit);

            Files.writeString(cgroup.resolve("memory.max"), "max\n");
            tier.shrinking().look();
            assertThat(tier.report().memory().limit()).isEqualTo(full);
            container(255, 300, 0);
            tier.shrinking().look();
            assertThat(tier.report().memory().limit())
                    .as("what was before the limit was lifted is over")
                    .isEqualTo(full);
        }
    }

    @Test
    void readsAndWritesGoOnWhileItShrinksAndNoneIsWrong() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        AtomicBoolean stop = new AtomicBoolean();
        try (OffHeapTier tier = filled()) {
            Future<?> reader = threads.submit(() -> {
                while (!stop.get()) {
                    soundOnes(tier);
                }
            });
            Future<?> writer = threads.submit(() -> {
                for (int i = 0; !stop.get(); i = (i + 7) % KEYS) {
                    tier.store(
                            local.entry(CacheKey.of("c", "k" + i), payload(i), LocalFixture.TTL),
                            WriteCondition.IF_NEWER);
                }
            });
            for (long used = 271; used < 274; used++) {
                container(used, 300, 0);
                tier.shrinking().look();
                assertThat(tier.shelf().budget.bytes())
                        .isLessThanOrEqualTo(tier.shelf().budget.maxBytes());
            }
            stop.set(true);
            reader.get(60, TimeUnit.SECONDS);
            writer.get(60, TimeUnit.SECONDS);
            tier.shelf().budget.check();
            assertThat(local.metrics.counter("l1.shrinks").getCount()).isPositive();
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            assertThat(local.metrics.counter("l1.corrupt").getCount()).isZero();
        } finally {
            stop.set(true);
            threads.shutdownNow();
        }
    }
}
