package dev.terrace.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.KeyBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class CodecsTest {
    private final KeyBuffer buffer = new KeyBuffer();

    private <K> byte[] encoded(KeyCodec<K> codec, K key) {
        buffer.start(new byte[] {'c'});
        codec.encode(key, buffer);
        return CacheKey.of("c", buffer).keyBytes();
    }

    @Test
    @Tag("F70")
    void textKeysAreExactlyTheirUtf8() {
        SplittableRandom random = new SplittableRandom(11);
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(1, 200); i > 0; i--) {
                int point;
                do {
                    point = random.nextInt(random.nextBoolean() ? 0x800 : 0x110000);
                } while (point >= 0xD800 && point <= 0xDFFF);
                text.appendCodePoint(point);
            }
            byte[] bytes = encoded(Codecs.stringKey(), text.toString());
            assertThat(bytes).isEqualTo(text.toString().getBytes(StandardCharsets.UTF_8));
            assertThat(Codecs.stringKey().decode(bytes)).isEqualTo(text.toString());
        }
    }

    @Test
    @Tag("F70")
    void textWithoutAUtf8FormIsRefusedNotMangled() {
        for (String bad : new String[] {"a\uD800", "\uDC00b", "\uD800\uD800", "\uD800x"}) {
            assertThatThrownBy(() -> encoded(Codecs.stringKey(), bad))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("unpaired surrogate");
            assertThatThrownBy(() -> Codecs.string().encode(bad)).isInstanceOf(CodecException.class);
        }
    }

    @Test
    void bytesThatAreNotTextAreACodecProblem() {
        byte[] notText = {(byte) 0xC3, 0x28};
        assertThatThrownBy(() -> Codecs.string().decode(notText, 0, 2))
                .isInstanceOf(CodecException.class)
                .hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> Codecs.stringKey().decode(notText)).isInstanceOf(CodecException.class);
    }

    @Test
    void valuesAreReadFromTheMiddleOfAnArray() {
        byte[] bytes = "xx42yy".getBytes(StandardCharsets.US_ASCII);
        assertThat(Codecs.string().decode(bytes, 2, 2)).isEqualTo("42");
        assertThat(Codecs.decimal().decode(bytes, 2, 2)).isEqualTo(42L);
        assertThat(Codecs.bytes().decode(bytes, 2, 2)).containsExactly('4', '2');
        assertThatThrownBy(() -> Codecs.decimal().decode(bytes, 1, 2)).isInstanceOf(CodecException.class);
    }

    @Test
    void byteValuesAreCopiedOnTheWayIn() {
        byte[] mine = {1};
        byte[] encoded = Codecs.bytes().encode(mine);
        mine[0] = 2;
        assertThat(encoded).containsExactly(1);
    }

    @Test
    void numberKeysRoundTrip() {
        for (long key : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThat(Codecs.longKey().decode(encoded(Codecs.longKey(), key))).isEqualTo(key);
        }
        assertThatThrownBy(() -> Codecs.longKey().decode(new byte[3])).isInstanceOf(CodecException.class);
    }
}
