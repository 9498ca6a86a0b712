package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("F70")
class RedisKeysTest {
    private static final String TRICKY = ":{}%*?[]\\ 0AaF-._\u00e9\u20ac\u0000\n";
    private final RedisKeys keys = new RedisKeys("terrace");

    @Test
    void differentKeysNeverShareARedisKey() {
        long seed = System.nanoTime();
        System.out.println("RedisKeysTest seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, CacheKey> seen = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            CacheKey key = CacheKey.of(tricky(random), bytes(random));
            CacheKey other = seen.putIfAbsent(keys.of(key), key);
            assertThat(other == null || other.equals(key))
                    .as("%s and %s", key, other)
                    .isTrue();
        }
    }

    private static String tricky(SplittableRandom random) {
        StringBuilder name = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            name.append(TRICKY.charAt(random.nextInt(TRICKY.length())));
        }
        return name.toString();
    }

    private static byte[] bytes(SplittableRandom random) {
        if (random.nextBoolean()) {
            return tricky(random).getBytes(StandardCharsets.UTF_8);
        }
        byte[] key = new byte[1 + random.nextInt(4)];
        random.nextBytes(key);
        return key;
    }

    @Test
    void redisKeysArePrintableAndHaveNoBraces() {
        for (int b = 0; b < 256; b++) {
            String mapped = keys.of(CacheKey.of("a{b}", new byte[] {(byte) b, '{', 'x', '}'}));
            assertThat(mapped).matches("[!-z|~]+").doesNotContain("{", "}");
        }
    }

    @Test
    void plainKeysStayReadable() {
        assertThat(keys.of(CacheKey.of("users", "user:42/profile"))).isEqualTo("terrace:users:user:42/profile");
        assertThat(keys.of(CacheKey.of("users", "100%"))).isEqualTo("terrace:users:100%25");
    }

    @Test
    void aCachesPatternMatchesItsKeysAndNoOthers() {
        long seed = System.nanoTime();
        System.out.println("RedisKeysTest seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            String cache = tricky(random);
            String other = tricky(random);
            String pattern = keys.patternOf(cache);
            assertThat(pattern).endsWith(":*");
            // All before the star is plain text: no other character means something to SCAN.
            String before = pattern.substring(0, pattern.length() - 1);
            assertThat(before).doesNotContainPattern("[*?\\[\\]\\\\^]");
            String mapped = keys.of(CacheKey.of(other, bytes(random)));
            assertThat(mapped.startsWith(before)).as("%s %s", cache, other).isEqualTo(other.equals(cache));
        }
    }

    @Test
    void aNameIsReadBackAsTheKeyItCameFrom() {
        RedisKeys keys = new RedisKeys("odd: prefix");
        SplittableRandom random = new SplittableRandom(Long.getLong("terrace.seed", 42));
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(20)];
            random.nextBytes(bytes);
            CacheKey key = CacheKey.of(i % 3 == 0 ? "{c:%}" : "caché" + i, bytes);
            assertThat(keys.parse(keys.of(key))).isEqualTo(key);
        }
        String prefix = keys.prefixOfAll();
        for (String none : List.of(
                "",
                "other:cache:key",
                prefix,
                prefix + "cache",
                prefix + "cache:",
                prefix + ":key",
                prefix + "cache:%",
                prefix + "cache:%4",
                prefix + "cache:%zz",
                prefix + "cache:%41",
                prefix + "cache:sp ace",
                prefix + "ca{che:key")) {
            assertThat(keys.parse(none)).as(none).isNull();
        }
    }
}
