package dev.terrace.node.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A request path cut at its slashes and only then percent-decoded, to bytes: keys may hold slashes and any byte. */
final class RawPath {
    /** What stands where bytes were that are no text. */
    static final int UNDECODABLE = 0xFFFD;

    private RawPath() {}

    /** The decoded segments; {@code /a%2Fb/c} gives two. */
    static List<byte[]> segments(String rawPath) {
        List<byte[]> segments = new ArrayList<>();
        for (String segment : rawPath.substring(rawPath.startsWith("/") ? 1 : 0).split("/", -1)) {
            segments.add(decode(segment));
        }
        return segments;
    }

    static byte[] decode(String segment) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(segment.length());
        for (int i = 0; i < segment.length(); i++) {
            char c = segment.charAt(i);
            if (c != '%') {
                int character = segment.codePointAt(i);
                i += Character.charCount(character) - 1;
                byte[] utf8 = utf8(character);
                bytes.write(utf8, 0, utf8.length);
                continue;
            }
            int high = i + 2 < segment.length() ? Character.digit(segment.charAt(i + 1), 16) : -1;
            int low = i + 2 < segment.length() ? Character.digit(segment.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                throw new HttpProblem(
                        400, "Bad request", "the path has a '%' that two hex digits do not follow; write '%25' for it");
            }
            bytes.write(high << 4 | low);
            i += 2;
        }
        return bytes.toByteArray();
    }

    /** Refuses what the server could not decode: it comes as the replacement character, and keys must not melt into one. */
    private static byte[] utf8(int character) {
        boolean loneSurrogate = Character.isBmpCodePoint(character) && Character.isSurrogate((char) character);
        if (character == UNDECODABLE || loneSurrogate) {
            throw new HttpProblem(
                    400, "Bad request", "the path has bytes that are not UTF-8; percent-encode them, like '%FF'");
        }
        return Character.toString(character).getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] segment) {
        return new String(segment, StandardCharsets.UTF_8);
    }
}
