package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.BadInputException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class CacheKeyTest {
    @Test
    void theSplitBetweenCacheAndKeyIsPartOfTheIdentity() {
        assertThat(CacheKey.of("ab", "c")).isNotEqualTo(CacheKey.of("a", "bc"));
        assertThat(CacheKey.of("a", "b"))
                .isEqualTo(CacheKey.of("a", new byte[] {'b'}))
                .hasSameHashCodeAs(CacheKey.of("a", "b"));
    }

    @Test
    void doesNotShareTheCallersArray() {
        byte[] bytes = {1, 2};
        CacheKey key = CacheKey.of("c", bytes);
        bytes[0] = 9;
        assertThat(key.keyBytes()).containsExactly(1, 2);
    }

    @Test
    void matchesABufferThatHoldsIt() {
        KeyBuffer buffer = new KeyBuffer();
        buffer.start("c".getBytes(StandardCharsets.UTF_8));
        buffer.writeLong(0x0102030405060708L);
        CacheKey key = CacheKey.of("c", buffer);
        assertThat(key.matches(buffer)).isTrue();
        assertThat(key.keyBytes()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        buffer.start("d".getBytes(StandardCharsets.UTF_8));
        assertThat(key.matches(buffer)).isFalse();
    }

    @Test
    @Tag("F70")
    void refusesEmptyAndOversizeByName() {
        assertThatThrownBy(() -> CacheKey.of("quotes", ""))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("empty key for cache 'quotes'");
        assertThatThrownBy(() -> CacheKey.of("", "k")).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> CacheKey.of("x".repeat(256), "k")).hasMessageContaining("1 to 255");
        assertThatThrownBy(() -> CacheKey.of("c", new byte[65_536])).hasMessageContaining("65535");
    }

    @Test
    void showsTextAsTextAndTheRestAsHex() {
        assertThat(CacheKey.of("c", "żółw")).hasToString("c/żółw");
        assertThat(CacheKey.of("c", new byte[] {(byte) 0xC3, 0x28})).hasToString("c/0xc328");
    }
}
