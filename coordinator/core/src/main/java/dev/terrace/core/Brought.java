package dev.terrace.core;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a loader said of one key.
 *
 * @param kind which of the answers it is
 * @param payload the encoded value; null unless there is one
 * @param ttl how long it is fresh, or believed to be missing; null for what the settings say
 * @param tags its tags; null for those of the call, or of the old value when that goes on
 * @param className the class whose settings it is kept by; null for that of its key
 * @param failure why the loader could not say; null when it could
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Brought(
        Kind kind,
        byte @Nullable [] payload,
        @Nullable Duration ttl,
        @Nullable Set<String> tags,
        @Nullable String className,
        @Nullable Throwable failure) {
    enum Kind {
        VALUE,
        NOT_FOUND,
        NOT_CHANGED,
        FAILED
    }

    static final Brought NOT_FOUND = new Brought(Kind.NOT_FOUND, null, null, null, null, null);

    /** A value, or none when {@code payload} is null. */
    static Brought of(byte @Nullable [] payload) {
        return payload == null ? NOT_FOUND : new Brought(Kind.VALUE, payload, null, null, null, null);
    }

    static Brought failed(Throwable why) {
        return new Brought(Kind.FAILED, null, null, null, null, why);
    }
}
