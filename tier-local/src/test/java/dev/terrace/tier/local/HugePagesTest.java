package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.WriteCondition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HugePagesTest {
    private static final int KEYS = 60_000;
    private static final long MIB = 1L << 20;

    final LocalFixture local = new LocalFixture();

    private void fill(OffHeapTier tier, int from, int to) {
        for (int i = from; i < to; i++) {
            byte[] payload = new byte[900];
            ByteBuffer.wrap(payload).putInt(i);
            tier.store(local.entry(CacheKey.of("c", "k" + i), payload, LocalFixture.TTL), WriteCondition.IF_NEWER);
        }
    }

    private static long sound(OffHeapTier tier) {
        return IntStream.range(0, KEYS)
                .filter(i -> tier.get(CacheKey.of("c", "k" + i))
                                        .toCompletableFuture()
                                        .join()
                                instanceof Lookup.Hit hit
                        && ByteBuffer.wrap(hit.entry().payload()).getInt() == i)
                .count();
    }

    /** Of this process, outside the heap and in it. */
    private static long hugeBytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/smaps_rollup")).stream()
                    .filter(line -> line.startsWith("AnonHugePages:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .sum();
        } catch (IOException none) {
            return 0;
        }
    }

    private static void lookUntilDone(OffHeapTier tier) {
        assertThat(tier.hugePages().isDone()).isFalse();
        while (!tier.hugePages().isDone()) {
            tier.hugePages().look();
        }
    }

    @Test
    void whatIsFilledMovesIntoHugePagesAndWhatShrinksLeavesThem() {
        Assumptions.assumeTrue(HugePages.isAllowed(), "the system has no huge pages for those who ask");
        try (OffHeapTier tier = local.open(KEYS, 100, EvictionPolicy.ADAPTIVE)) {
            long before = hugeBytes();
            fill(tier, 0, KEYS / 10);
            tier.hugePages().look();
            assertThat(hugeBytes() - before).as("with little in it").isLessThan(2 * MIB);

            fill(tier, KEYS / 10, KEYS);
            lookUntilDone(tier);
            long huge = hugeBytes() - before;
            assertThat(huge).isGreaterThan(tier.shelf().budget.bytes() / 2);
            assertThat(sound(tier)).isEqualTo(KEYS);

            long all = tier.shelf().budget.maxBytes();
            tier.shelf().budget.limitBytes(all / 8);
            tier.shrinking().fit();
            tier.hugePages().look();
            assertThat(hugeBytes() - before).as("after it shrank").isLessThan(huge / 4);
            assertThat(sound(tier)).isEqualTo(tier.shelf().budget.entries());

            tier.shelf().budget.limitBytes(all);
            fill(tier, 0, KEYS);
            lookUntilDone(tier);
            assertThat(hugeBytes() - before).as("grown again").isGreaterThan(huge / 2);
            assertThat(sound(tier)).isEqualTo(KEYS);
        }
    }

    @Test
    void neverIsNever(@TempDir Path system) throws IOException {
        assertThat(HugePages.isAllowed(system)).as("not Linux").isFalse();
        Files.writeString(system.resolve("hpage_pmd_size"), "2097152\n");
        Files.writeString(system.resolve("enabled"), "always [madvise] never\n");
        assertThat(HugePages.isAllowed(system)).isTrue();
        Files.writeString(system.resolve("enabled"), "always madvise [never]\n");
        assertThat(HugePages.isAllowed(system)).isFalse();
        Files.writeString(system.resolve("enabled"), "[always] madvise never\n");
        Files.writeString(system.resolve("hpage_pmd_size"), "536870912\n");
        assertThat(HugePages.isAllowed(system)).as("of another size").isFalse();
    }
}
