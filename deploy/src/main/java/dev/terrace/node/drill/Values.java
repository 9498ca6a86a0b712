package dev.terrace.node.drill;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keys and values of a drill. A value says of which key and which write of it it is, so that whatever is found later can be judged without
 * having been remembered.
 *
 * @param seed decides the bytes
 * @param bytes length of a value, at least {@value #FEWEST_BYTES}
 */
record Values(long seed, int bytes) {
    static final int FEWEST_BYTES = 64;
    private static final Pattern KEY = Pattern.compile("entry-(\\d{8})");
    private static final Pattern HEAD = Pattern.compile("\\{\"entry\":(\\d+),\"write\":(\\d+),.*", Pattern.DOTALL);

    static String key(int index) {
        String digits = Integer.toString(index);
        return "entry-" + "0".repeat(8 - digits.length()) + digits;
    }

    static int index(String key) {
        Matcher matcher = KEY.matcher(key);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a key of a drill: " + key);
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** The value of write {@code number} of a key, from 1. */
    byte[] of(int index, int number) {
        StringBuilder text = new StringBuilder(bytes)
                .append("{\"entry\":")
                .append(index)
                .append(",\"write\":")
                .append(number)
                .append(",\"filling\":\"");
        SplittableRandom random = new SplittableRandom(seed * 31 + index * 1_000_003L + number);
        HexFormat hex = HexFormat.of();
        while (text.length() < bytes - 2) {
            text.append(hex.toHexDigits(random.nextLong()));
        }
        text.setLength(bytes - 2);
        return text.append("\"}").toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** Which write of the key this is; 0 when it is none, by its digest. */
    int number(int index, byte[] value) {
        if (value.length != bytes) {
            return 0;
        }
        Matcher head = HEAD.matcher(new String(value, StandardCharsets.US_ASCII));
        if (!head.matches() || head.group(1).length() > 8 || head.group(2).length() > 8) {
            return 0;
        }
        int number = Integer.parseInt(head.group(2));
        boolean same = Integer.parseInt(head.group(1)) == index && digest(value).equals(digest(of(index, number)));
        return same ? number : 0;
    }

    /** SHA-256. */
    static String digest(byte[] value) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
