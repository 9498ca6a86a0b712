package dev.terrace.node.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Keys and tags as JSON texts of a body. */
final class BodyKeys {
    private static final int MOST_BULK_KEYS = 10_000;

    private BodyKeys() {}

    /** A key as JSON text; half a surrogate pair has no bytes, and would melt into '?'. */
    static byte[] key(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
            throw new HttpProblem(400, "Bad request", "a key in the body is no valid Unicode text");
        }
        return bytes;
    }

    static void checkCount(int keys) {
        if (keys > MOST_BULK_KEYS) {
            throw new HttpProblem(
                    413,
                    "Content too large",
                    keys + " keys exceed the " + MOST_BULK_KEYS + " of one request; send fewer");
        }
    }

    /** The body's {@code keys}. */
    static List<byte[]> keys(JsonNode body) {
        List<byte[]> bytes = new ArrayList<>();
        texts(body, "keys").forEach(text -> bytes.add(key(text)));
        return bytes;
    }

    /** The list of texts that the body has under {@code name}. */
    static List<String> texts(JsonNode body, String name) {
        JsonNode list = body.path(name);
        if (!list.isArray()) {
            throw new HttpProblem(400, "Bad request", "'" + name + "' must be a list of texts");
        }
        checkCount(list.size());
        List<String> texts = new ArrayList<>();
        for (JsonNode text : list) {
            if (!text.isTextual()) {
                throw new HttpProblem(
                        400, "Bad request", "'" + name + "' must be a list of texts, found " + text.getNodeType());
            }
            texts.add(text.textValue());
        }
        return texts;
    }
}
