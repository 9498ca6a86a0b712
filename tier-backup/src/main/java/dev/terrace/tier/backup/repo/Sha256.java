package dev.terrace.tier.backup.repo;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 as it is written in generations. */
public final class Sha256 {
    private Sha256() {}

    /** A fresh digest; for one thread. */
    public static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** 64 hex digits in small letters. */
    public static String of(byte[] bytes) {
        return hex(digest().digest(bytes));
    }

    /** Hex digits in small letters. */
    public static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
