package dev.terrace.core.codec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.terrace.api.Codec;
import dev.terrace.api.CodecException;
import java.io.IOException;

/**
 * Values as JSON, records included. Unknown properties are ignored, so that old readers survive new fields. Type names in
 * the data choose no class, ever; nesting, text and number lengths are bounded. Thread-safe.
 *
 * @param <V> the values
 */
public final class JsonCodec<V> implements Codec<V> {
    private static final int DEEPEST_NESTING = 200;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST_NESTING)
                            .build())
                    .build())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JavaType type;
    private final ObjectReader reader;
    private final ObjectWriter writer;

    private JsonCodec(JavaType type) {
        this.type = type;
        this.reader = MAPPER.readerFor(type);
        this.writer = MAPPER.writerFor(type);
    }

    /** Values of a class or record. */
    public static <V> JsonCodec<V> of(Class<V> type) {
        return new JsonCodec<>(MAPPER.constructType(type));
    }

    /** Values of a generic type: {@code new TypeReference<List<Quote>>() {}}. */
    public static <V> JsonCodec<V> of(TypeReference<V> type) {
        return new JsonCodec<>(MAPPER.constructType(type));
    }

    @Override
    public byte[] encode(V value) {
        try {
            return writer.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new CodecException(
                    "a value of type " + type.toCanonical() + " cannot be written as JSON: " + e.getOriginalMessage(),
                    "make it a record or a class that Jackson can read and write",
                    e);
        }
    }

    @Override
    public V decode(byte[] bytes, int offset, int length) {
        V value;
        try {
            value = reader.readValue(bytes, offset, length);
        } catch (IOException e) {
            throw new CodecException(
                    length + " bytes are not JSON of type " + type.toCanonical(),
                    "they were written by another codec",
                    e);
        }
        if (value == null) {
            throw new CodecException("JSON null is not a value of type " + type.toCanonical(), "", null);
        }
        return value;
    }
}
