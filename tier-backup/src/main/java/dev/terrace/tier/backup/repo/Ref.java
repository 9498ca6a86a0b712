package dev.terrace.tier.backup.repo;

import java.util.regex.Pattern;

/**
 * A generation by number and by content.
 *
 * @param number from 1 on
 * @param hash SHA-256 of all its bytes, 64 hex digits in small letters
 */
public record Ref(long number, String hash) {
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

    /** What the first generation names as the one before it. */
    static final String NO_HASH = "0".repeat(64);

    /** Checks. */
    public Ref {
        if (number < 1) {
            throw new IllegalArgumentException("generations are numbered from 1, not " + number);
        }
        requireHash(hash);
    }

    static String requireHash(String hash) {
        if (!HASH.matcher(hash).matches()) {
            throw new IllegalArgumentException("a hash is 64 hex digits in small letters");
        }
        return hash;
    }
}
