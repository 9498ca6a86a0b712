package dev.terrace.tier.redis;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the answers of a zone's scripts mean. Thread-safe. */
final class ZoneAnswers {
    private static final byte[] NOTHING = new byte[0];

    private final InstantSource clock;
    private final Counter corrupt;
    private final Counter unknownFormat;

    ZoneAnswers(InstantSource clock, MetricRegistry metrics) {
        this.clock = clock;
        this.corrupt = metrics.counter("corrupt");
        this.unknownFormat = metrics.counter("unknown_format");
    }

    /** What cannot be read is no vote for "nothing there": the zone knows that it has lost something. */
    Lookup lookup(CacheKey key, byte @Nullable [] bytes) {
        if (bytes == null) {
            return Lookup.MISS;
        }
        Entry entry = entry(key, bytes);
        if (entry == null) {
            return ZoneCalls.no(Unavailability.ERROR, "what the zone holds under the key cannot be read");
        }
        return entry.isExpired(clock.millis()) ? Lookup.MISS : new Lookup.Hit(entry);
    }

    private @Nullable Entry entry(CacheKey key, byte[] bytes) {
        Envelope.Decoded decoded = Envelope.decode(bytes);
        if (decoded instanceof Envelope.Malformed malformed) {
            (malformed.flaw() == Envelope.Flaw.UNKNOWN_FORMAT ? unknownFormat : corrupt).inc();
            return null;
        }
        Entry entry = ((Envelope.Sound) decoded).entry();
        if (!entry.key().equals(key)) {
            corrupt.inc();
            return null;
        }
        return entry;
    }

    /** What a zone says of the highest version. */
    Ballot ballot(byte @Nullable [] answer) {
        return switch (code(answer)) {
            case 'V' -> new Ballot.Known(version(answer));
            case 'N' -> new Ballot.Known(null);
            default -> new Ballot.Unknown(Unavailability.ERROR, unreadable(answer));
        };
    }

    /** What a zone says to who asks for a promise. */
    Promise promise(CacheKey key, byte @Nullable [] answer) {
        if (code(answer) == 'D') {
            return new Promise.Denied(version(answer));
        }
        if (answer == null || code(answer) != 'G') {
            return new Promise.Unknown(Unavailability.ERROR, unreadable(answer));
        }
        if (answer.length == 1) {
            return new Promise.Given(null);
        }
        Entry held = entry(key, Arrays.copyOfRange(answer, 1, answer.length));
        if (held == null) {
            return new Promise.Unknown(Unavailability.ERROR, "what the zone holds under the key cannot be read");
        }
        return new Promise.Given(held.isExpired(clock.millis()) ? null : held);
    }

    /** What became of a write. */
    StoreOutcome outcome(byte @Nullable [] answer) {
        return switch (code(answer)) {
            case 'A' -> StoreOutcome.APPLIED;
            case 'S' -> new StoreOutcome.Superseded(version(answer));
            case 'N' -> new StoreOutcome.Superseded(null);
            case 'P' -> new StoreOutcome.Promised(version(answer));
            case 'F' -> {
                unknownFormat.inc();
                yield new StoreOutcome.Refused(
                        TierLevel.L2, "the zone holds an entry in the format of a later version, which is left alone");
            }
            // It may have been done all the same.
            default -> RedisTier.outcomeOf(ZoneCalls.no(Unavailability.DISCONNECTED, unreadable(answer)));
        };
    }

    /** True when it was done. */
    boolean isDone(byte @Nullable [] answer) {
        return code(answer) == 'A';
    }

    private static char code(byte @Nullable [] answer) {
        return answer == null || answer.length == 0 ? '?' : (char) answer[0];
    }

    private static Version version(byte @Nullable [] answer) {
        ByteBuffer bytes = ByteBuffer.wrap(answer == null ? NOTHING : answer, 1, Version.BYTES);
        return new Version(bytes.getLong(), bytes.getLong());
    }

    private static String unreadable(byte @Nullable [] answer) {
        return switch (code(answer)) {
            case 'F' -> "the zone holds an entry in the format of a later version";
            case 'R' -> "what the zone holds under the key cannot be read";
            default ->
                "unexpected answer of a script: "
                        + (answer == null ? "none" : new String(answer, StandardCharsets.ISO_8859_1));
        };
    }
}
