package dev.terrace.tier.backup.repo;

import java.nio.charset.StandardCharsets;

/**
 * Reads canonical JSON: what may stand where is known to the byte, so there is exactly one text for each value and anything else is
 * refused. For one thread.
 */
final class Cursor {
    private final String text;
    private int at;

    /** Anything but printable ASCII is refused. */
    Cursor(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0x20 || b > 0x7E) {
                throw new IllegalArgumentException("a byte that is not printable ASCII");
            }
        }
        this.text = new String(bytes, StandardCharsets.US_ASCII);
    }

    Cursor literal(String expected) {
        if (!text.startsWith(expected, at)) {
            throw new IllegalArgumentException("expected " + expected + " at " + at);
        }
        at += expected.length();
        return this;
    }

    boolean isNext(String candidate) {
        return text.startsWith(candidate, at);
    }

    /** A string without quotes, backslashes and control characters inside. */
    String string() {
        literal("\"");
        int end = text.indexOf('"', at);
        if (end < 0 || text.indexOf('\\', at) >= 0 && text.indexOf('\\', at) < end) {
            throw new IllegalArgumentException("not a plain string at " + at);
        }
        String found = text.substring(at, end);
        at = end + 1;
        return found;
    }

    /** A number from 0 to 2^63 - 1 without leading zeros. */
    long number() {
        int end = at;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        if (end == at || end - at > 19 || end - at > 1 && text.charAt(at) == '0') {
            throw new IllegalArgumentException("not a number at " + at);
        }
        long found = Long.parseLong(text, at, end, 10);
        at = end;
        return found;
    }

    int smallNumber() {
        return Math.toIntExact(number());
    }

    /** What stands between brackets, item after item. */
    interface Item {
        void read();
    }

    void list(Item item) {
        literal("[");
        if (!isNext("]")) {
            item.read();
            while (isNext(",")) {
                literal(",");
                item.read();
            }
        }
        literal("]");
    }

    void end() {
        if (at != text.length()) {
            throw new IllegalArgumentException("something follows at " + at);
        }
    }
}
