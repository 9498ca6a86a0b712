package dev.terrace.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.terrace.api.CodecException;
import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JSON in and out, and nothing hostile in between. */
@Tag("F71")
class JsonCodecTest {
    record Quote(String symbol, BigDecimal price, List<String> tags) {}

    /** What an attacker would like to see built. */
    public static final class Gadget {
        static final AtomicBoolean BUILT = new AtomicBoolean();

        public Gadget() {
            BUILT.set(true);
        }
    }

    private final JsonCodec<Quote> quotes = JsonCodec.of(Quote.class);

    private static <V> V decode(JsonCodec<V> codec, String json) {
        return decode(codec, json.getBytes(StandardCharsets.UTF_8));
    }

    private static <V> V decode(JsonCodec<V> codec, byte[] bytes) {
        return codec.decode(bytes, 0, bytes.length);
    }

    @Test
    void recordsAndGenericTypesGoThere_andBack() {
        Quote quote = new Quote("ACME", new BigDecimal("12.50"), List.of("a", "ü"));
        assertThat(decode(quotes, quotes.encode(quote))).isEqualTo(quote);
        JsonCodec<Map<String, List<Quote>>> nested = JsonCodec.of(new TypeReference<>() {});
        Map<String, List<Quote>> value = Map.of("x", List.of(quote));
        assertThat(decode(nested, nested.encode(value))).isEqualTo(value);
    }

    @Test
    void readsOnlyItsPartOfTheArray() {
        byte[] bytes = "xx{\"symbol\":\"A\"}yy".getBytes(StandardCharsets.UTF_8);
        assertThat(quotes.decode(bytes, 2, bytes.length - 4).symbol()).isEqualTo("A");
    }

    @Test
    void unknownPropertiesAreIgnoredSoThatOldReadersSurviveNewFields() {
        assertThat(decode(quotes, "{\"symbol\":\"A\",\"added_later\":{\"x\":1}}")
                        .symbol())
                .isEqualTo("A");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "{",
                "[]",
                "\"text\"",
                "{\"symbol\":\"A\"} {\"symbol\":\"B\"}",
                "{\"price\":\"many\"}",
                "{\"symbol\":[1]}",
                "{\"symbol\":\"\\uD800",
                "{'symbol':'A'}",
                "{\"symbol\":NaN}"
            })
    void whatIsNotAValueIsACodecException(String json) {
        assertThatThrownBy(() -> decode(quotes, json)).isInstanceOf(CodecException.class);
    }

    @Test
    void typeNamesInTheDataChooseNoClass() {
        String name = Gadget.class.getName();
        JsonCodec<Object> anything = JsonCodec.of(Object.class);
        for (String json : List.of(
                "{\"@class\":\"" + name + "\"}",
                "[\"" + name + "\",{}]",
                "{\"@type\":\"" + name + "\",\"x\":1}",
                "{\"!type\":\"" + name + "\"}")) {
            assertThat(decode(anything, json)).isInstanceOfAny(Map.class, List.class);
        }
        assertThat(Gadget.BUILT).isFalse();
    }

    @Test
    void javaSerializationIsNeverInterpreted() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new HashMap<>(Map.of("a", new ArrayList<>(List.of("b")))));
        }
        JsonCodec<Object> anything = JsonCodec.of(Object.class);
        assertThatThrownBy(() -> decode(anything, bytes.toByteArray())).isInstanceOf(CodecException.class);
        assertThatThrownBy(() -> decode(quotes, bytes.toByteArray())).isInstanceOf(CodecException.class);
    }

    @Test
    void depthAndNumbersAreBounded() {
        JsonCodec<Object> anything = JsonCodec.of(Object.class);
        assertThatThrownBy(() -> decode(anything, "[".repeat(100_000))).isInstanceOf(CodecException.class);
        assertThatThrownBy(() -> decode(anything, "[".repeat(201) + "]".repeat(201)))
                .isInstanceOf(CodecException.class);
        assertThat(decode(anything, "[".repeat(200) + "]".repeat(200))).isInstanceOf(List.class);
        assertThatThrownBy(() -> decode(anything, "9".repeat(100_000))).isInstanceOf(CodecException.class);
        JsonCodec<Long> whole = JsonCodec.of(Long.class);
        assertThatThrownBy(() -> decode(whole, "1e1000000000")).isInstanceOf(CodecException.class);
    }

    @Test
    void aValueThatContainsItselfIsACodecException() {
        List<Object> self = new ArrayList<>();
        self.add(self);
        assertThatThrownBy(() -> JsonCodec.of(Object.class).encode(self)).isInstanceOf(CodecException.class);
    }

    @Test
    void randomBytesNeverDoAnythingButFailCleanly() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("JsonCodecTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        byte[] sound = quotes.encode(new Quote("ACME", BigDecimal.TEN, List.of("a")));
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = sound.clone();
            for (int flips = random.nextInt(1, 6); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            int length = random.nextInt(bytes.length + 1);
            try {
                assertThat(quotes.decode(bytes, 0, length)).isNotNull();
            } catch (CodecException expected) {
                assertThat(expected).hasMessageContaining("JSON");
            }
        }
    }
}
