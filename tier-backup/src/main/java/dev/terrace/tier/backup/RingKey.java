package dev.terrace.tier.backup;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import org.jspecify.annotations.Nullable;

/**
 * One key of a {@link KeySet}, in the clear.
 *
 * @param purpose what it is for
 * @param id names it everywhere; made from the key itself, so two keys never share one and a copy keeps it
 * @param epoch the number people call it by, from 1 within its purpose
 * @param createdMillis when it was made
 * @param state whether it is in use
 * @param sinceMillis since when it is in this state
 * @param by who brought it into this state, at most 255 bytes of UTF-8
 * @param secret 32 bytes; null when destroyed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RingKey(
        Purpose purpose,
        long id,
        int epoch,
        long createdMillis,
        State state,
        long sinceMillis,
        String by,
        byte @Nullable [] secret) {
    /** What a key is for. */
    enum Purpose {
        /** Sub-keys that seal records are derived from it. */
        DATA(1),
        /** Hashes the names of entries. */
        INDEX(2),
        /** The seed of an Ed25519 key that signs manifests. */
        SIGNING(3);

        /** Stands for it in files. */
        final byte code;

        Purpose(int code) {
            this.code = (byte) code;
        }

        static Purpose of(byte code) throws GeneralSecurityException {
            for (Purpose purpose : values()) {
                if (purpose.code == code) {
                    return purpose;
                }
            }
            throw new GeneralSecurityException("a key of an unknown purpose, " + code);
        }
    }

    /** Whether a key is in use. */
    enum State {
        /** What is new uses it. One per purpose. */
        ACTIVE(1),
        /** What is old is read with it. */
        RETIRED(2),
        /** Gone on purpose, and what was sealed with it as well. */
        DESTROYED(3);

        /** Stands for it in files. */
        final byte code;

        State(int code) {
            this.code = (byte) code;
        }

        static State of(byte code) throws GeneralSecurityException {
            for (State state : values()) {
                if (state.code == code) {
                    return state;
                }
            }
            throw new GeneralSecurityException("a key in an unknown state, " + code);
        }
    }

    /** A new active key. */
    static RingKey of(Purpose purpose, int epoch, long createdMillis, String by, byte[] secret) {
        long id = ByteBuffer.wrap(Hkdf.derive(secret, Hkdf.NO_SALT, "key id")).getLong();
        return new RingKey(purpose, id, epoch, createdMillis, State.ACTIVE, createdMillis, by, secret);
    }

    boolean is(State other) {
        return state == other;
    }

    RingKey in(State next, long nowMillis, String who) {
        return new RingKey(
                purpose, id, epoch, createdMillis, next, nowMillis, who, next == State.DESTROYED ? null : secret);
    }

    RingKey numbered(int other) {
        return new RingKey(purpose, id, other, createdMillis, state, sinceMillis, by, secret);
    }

    /** The key itself, where it cannot have been destroyed. */
    byte[] required() {
        byte[] bytes = secret;
        if (bytes == null) {
            throw new IllegalStateException("key epoch " + epoch + " was destroyed");
        }
        return bytes;
    }
}
