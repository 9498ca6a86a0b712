package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CompactEntryTest {
    private final long seed = Long.getLong("terrace.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    private long time() {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextLong();
            case 1 -> Long.MIN_VALUE;
            case 2 -> Long.MAX_VALUE;
            case 3 -> random.nextLong(1000) - 500;
            default -> 1_700_000_000_000L + random.nextLong(100_000_000);
        };
    }

    private byte[] bytes(int atLeast, int below) {
        byte[] bytes = new byte[random.nextInt(atLeast, below)];
        random.nextBytes(bytes);
        return bytes;
    }

    private Entry entry() {
        EntryKind kind = EntryKind.values()[random.nextInt(3)];
        long fresh = time();
        long stale = random.nextBoolean() ? fresh : time();
        List<String> tags = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            tags.add("täg\u20ac" + random.nextInt(1000));
        }
        return new Entry(
                CacheKey.of("c\u00fc" + "x".repeat(random.nextInt(200)), bytes(1, 300)),
                kind,
                new Version(random.nextLong(), random.nextLong()),
                time(),
                Math.min(fresh, stale),
                Math.max(fresh, stale),
                tags,
                kind == EntryKind.VALUE ? bytes(0, 400) : new byte[0]);
    }

    @Test
    void everyEntryComesBack() {
        System.out.println("seed " + seed);
        for (int round = 0; round < 20_000; round++) {
            Entry entry = entry();
            byte[] out = new byte[CompactEntry.longest(entry)];
            int length = CompactEntry.write(entry, out);
            assertThat(CompactEntry.read(entry.version().clock(), out, 0, length))
                    .as("round %d", round)
                    .isEqualTo(entry);
        }
    }

    @Test
    void anyBytesAreSafeToRead() {
        System.out.println("seed " + seed);
        Entry entry = entry();
        byte[] good = new byte[CompactEntry.longest(entry)];
        int length = CompactEntry.write(entry, good);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = Arrays.copyOf(good, random.nextInt(length + 1));
            for (int i = 0; i < 3 && bytes.length > 0; i++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Entry read = CompactEntry.read(entry.version().clock(), bytes, 0, bytes.length);
            assertThat(read == null || read.staleUntilMillis() >= read.freshUntilMillis())
                    .isTrue();
        }
    }

    @Test
    void aLongNameThatIsNotUtf8IsNoName() {
        Entry entry = new Entry(
                CacheKey.of("n".repeat(CacheKey.MAX_CACHE_NAME_BYTES), "k"),
                EntryKind.VALUE,
                Version.of(1, 0, 0),
                1,
                2,
                2,
                List.of(),
                new byte[] {1});
        byte[] bytes = new byte[CompactEntry.longest(entry)];
        int length = CompactEntry.write(entry, bytes);
        bytes[100] = (byte) 0xFF;
        assertThat(CompactEntry.read(entry.version().clock(), bytes, 0, length)).isNull();
    }
}
