package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import dev.terrace.testkit.Entries;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** What somebody writes, by chance, from a seed: the same seed, the same entries, also in another process. For one thread. */
final class Script {
    private static final List<String> CACHES = List.of("quotes", "users");
    private static final List<String> LABELS = List.of("red", "blue", "green");
    private static final int KEYS = 14;

    private final Random random;
    private final long node;
    private long lastMillis;
    private int counter;

    /** @param node tells the versions of several writers apart */
    Script(long seed, long node) {
        this.random = new Random(seed);
        this.node = node;
    }

    /** Every key that can be written. */
    static Set<CacheKey> universe() {
        Set<CacheKey> all = new HashSet<>();
        for (String cache : CACHES) {
            all.add(CacheKey.of(History.MARKERS, cache));
            for (int i = 0; i < KEYS; i++) {
                all.add(CacheKey.of(cache, "k" + i));
            }
        }
        LABELS.forEach(label -> all.add(CacheKey.of(History.TAGS, label)));
        return all;
    }

    /** The next one, at this moment of the writer's clock. */
    Entry next(long nowMillis) {
        counter = nowMillis == lastMillis ? counter + 1 : 0;
        lastMillis = nowMillis;
        int what = random.nextInt(100);
        if (what < 3) {
            return marker(CacheKey.of(History.MARKERS, pick(CACHES)), nowMillis, Entry.FOREVER);
        }
        if (what < 8) {
            long until = nowMillis + Duration.ofDays(32).toMillis();
            return marker(CacheKey.of(History.TAGS, pick(LABELS)), nowMillis, until);
        }
        CacheKey key = CacheKey.of(pick(CACHES), "k" + random.nextInt(KEYS));
        if (what < 18) {
            Duration keep = random.nextBoolean() ? Duration.ofDays(2) : Duration.ofHours(1);
            return Entries.tombstone(key, version(nowMillis), nowMillis, keep);
        }
        List<String> tags = new ArrayList<>();
        for (String label : LABELS) {
            if (random.nextInt(4) == 0) {
                tags.add(label);
            }
        }
        long until = nowMillis
                + (random.nextInt(5) == 0 ? Duration.ofMinutes(1 + random.nextInt(90)) : Backups.TTL).toMillis();
        byte[] payload = ("{\"symbol\":\"" + new String(key.keyBytes(), StandardCharsets.UTF_8) + "\",\"price\":"
                        + random.nextInt(100_000) + ",\"currency\":\"EUR\",\"note\":\""
                        + Long.toHexString(random.nextLong()) + "\"}")
                .getBytes(StandardCharsets.UTF_8);
        // Now and then something that was long on its way.
        long drawn = random.nextInt(20) == 0 ? nowMillis - random.nextInt(5_000) : nowMillis;
        return new Entry(key, EntryKind.VALUE, version(drawn), nowMillis, until, until, tags, payload);
    }

    private Version version(long millis) {
        return Version.of(millis, counter, node);
    }

    private Entry marker(CacheKey key, long nowMillis, long until) {
        return new Entry(key, EntryKind.VALUE, version(nowMillis), nowMillis, until, until, List.of(), new byte[0]);
    }

    private <T> T pick(List<T> some) {
        return some.get(random.nextInt(some.size()));
    }
}
