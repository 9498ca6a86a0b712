package dev.terrace.blob.s3;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The checksum that every S3 server knows; against accidents, not against attackers. */
final class Md5 {
    private final byte[] digest;

    private Md5(byte[] digest) {
        this.digest = digest;
    }

    static Md5 of(byte[] bytes) {
        try {
            return new Md5(MessageDigest.getInstance("MD5").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }

    /** As the header {@code Content-MD5} has it. */
    String base64() {
        return Base64.getEncoder().encodeToString(digest);
    }

    String hex() {
        return HexFormat.of().formatHex(digest);
    }

    /** Whether a store's tag is this one; most stores' tags are, of what was sent in one part and is not encrypted by a key service. */
    boolean isTag(@Nullable String tag) {
        return tag != null && tag.replace("\"", "").equalsIgnoreCase(hex());
    }
}
