package dev.terrace.spi;

import java.util.List;

/**
 * What may be told about the keys of a tier: everything but the keys. Immutable.
 *
 * @param ring names the set of keys in messages: 16 hexadecimal digits
 * @param lockedBy what gives the master key: {@code passphrase}, {@code keystore} or a key service and its key
 * @param keys of every purpose, by epoch
 */
public record KeyReport(String ring, String lockedBy, List<Key> keys) {
    /** Copies the list. */
    public KeyReport {
        keys = List.copyOf(keys);
    }

    /**
     * One key.
     *
     * @param purpose {@code data}, {@code index} or {@code signing}
     * @param epoch the number people call it by, from 1 within its purpose
     * @param id the same in every copy of the ring: 16 hexadecimal digits
     * @param createdMillis when it was made
     * @param state {@code active}, {@code retired} or {@code destroyed}
     * @param sinceMillis since when it is in this state
     * @param by who brought it into this state; may be empty
     * @param fingerprint of a signing key: the first 16 hexadecimal digits of the SHA-256 of its public half; else empty
     * @param subKeys sub-keys that were made from it and that records may still name
     */
    public record Key(
            String purpose,
            int epoch,
            String id,
            long createdMillis,
            String state,
            long sinceMillis,
            String by,
            String fingerprint,
            int subKeys) {}
}
