package dev.terrace.tier.backup.repo;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A line of canonical JSON and a line with its signature. The signature is over {@code terrace repository} + line feed + the first
 * line without its line feed, so that it counts for nothing else.
 */
final class Signed {
    private static final byte[] DOMAIN = "terrace repository\n".getBytes(StandardCharsets.US_ASCII);
    private static final String ALGORITHM = "ed25519 ";
    private static final int KEY_ID_DIGITS = 16;
    private static final int TRAILER_BYTES =
            ALGORITHM.length() + KEY_ID_DIGITS + 1 + 2 * SigningKey.SIGNATURE_BYTES + 1;

    private Signed() {}

    static byte[] sign(String json, SigningKey key) {
        byte[] line = json.getBytes(StandardCharsets.US_ASCII);
        String trailer = "\n" + ALGORITHM + key.id() + " " + Sha256.hex(key.sign(message(line))) + "\n";
        byte[] all = Arrays.copyOf(line, line.length + trailer.length());
        System.arraycopy(trailer.getBytes(StandardCharsets.US_ASCII), 0, all, line.length, trailer.length());
        return all;
    }

    private static byte[] message(byte[] line) {
        byte[] message = Arrays.copyOf(DOMAIN, DOMAIN.length + line.length);
        System.arraycopy(line, 0, message, DOMAIN.length, line.length);
        return message;
    }

    /** The first line, once its signature was found to be one that is trusted. */
    static byte[] open(String blob, byte[] all, RepositoryKeys keys) throws DamagedException {
        int lineEnd = all.length - TRAILER_BYTES - 1;
        if (lineEnd < 1 || all[lineEnd] != '\n' || all[all.length - 1] != '\n') {
            throw new DamagedException(Problem.Kind.MALFORMED, blob, "it is cut short or has no signature");
        }
        String trailer = new String(all, lineEnd + 1, TRAILER_BYTES - 1, StandardCharsets.ISO_8859_1);
        int idEnd = ALGORITHM.length() + KEY_ID_DIGITS;
        if (!trailer.startsWith(ALGORITHM) || trailer.charAt(idEnd) != ' ') {
            throw new DamagedException(Problem.Kind.MALFORMED, blob, "it has no signature that is known");
        }
        byte[] signature;
        try {
            signature = HexFormat.of().parseHex(trailer.substring(idEnd + 1));
        } catch (IllegalArgumentException e) {
            throw new DamagedException(Problem.Kind.MALFORMED, blob, "its signature is not hexadecimal");
        }
        String id = trailer.substring(ALGORITHM.length(), idEnd);
        if (!trailer.substring(idEnd + 1).equals(Sha256.hex(signature))) {
            throw new DamagedException(Problem.Kind.MALFORMED, blob, "its signature is not in small letters");
        }
        SigningKey key = keys.find(id);
        if (key == null) {
            throw new DamagedException(
                    Problem.Kind.UNKNOWN_KEY,
                    blob,
                    "it was signed by key " + printable(id) + ", which is not among the trusted ones");
        }
        byte[] line = Arrays.copyOf(all, lineEnd);
        if (!key.verifies(message(line), signature)) {
            throw new DamagedException(
                    Problem.Kind.BAD_SIGNATURE, blob, "its signature does not fit: it was edited or damaged");
        }
        return line;
    }

    private static String printable(String id) {
        return id.matches("[0-9a-f]{16}") ? id : "(unreadable)";
    }
}
