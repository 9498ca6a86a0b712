package dev.terrace.tier.redis;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.Prolonging.Prolonged;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.redisson.api.RScript.ReturnType;

/**
 * Leases and token buckets of a fleet, on the connections and within the deadline of a {@link RedisTier}. A lease lies beside the
 * entry, in its slot. Lengthens lives, too. By the servers' clocks alone. Thread-safe.
 */
final class RedisFleet implements LeaseStore, RateStore {
    private static final byte[] NOTHING = new byte[0];
    private static final Claimed GRANTED = new Claimed.Granted();
    private static final Claimed NOBODYS = new Claimed.Held("", Duration.ZERO);
    private static final String UNEXPECTED = "unexpected answer of a script";

    private final RedisTier tier;
    private final RedisKeys keys;

    RedisFleet(RedisTier tier, RedisKeys keys) {
        this.tier = tier;
        this.keys = keys;
    }

    @Override
    public CompletionStage<Claimed> claim(Claim claim) {
        String entry = keys.of(claim.key());
        Version seen = claim.seen();
        return eval(
                Scripts.LEASE_CLAIM,
                List.of(entry, RedisKeys.leaseOf(entry)),
                RedisFleet::claimed,
                Claimed.Unavailable::new,
                ascii(claim.owner()),
                millis(claim.keep()),
                seen == null ? NOTHING : ScriptWords.bytesOf(seen));
    }

    private static Claimed claimed(byte[] bytes) {
        if (bytes.length == 1 + Version.BYTES && bytes[0] == 'C') {
            ByteBuffer held = ByteBuffer.wrap(bytes, 1, Version.BYTES);
            return new Claimed.Changed(new Version(held.getLong(), held.getLong()));
        }
        String answer = text(bytes);
        if (answer.equals("G")) {
            return GRANTED;
        }
        int colon = answer.indexOf(':');
        if (answer.startsWith("H") && colon > 1) {
            return new Claimed.Held(
                    answer.substring(colon + 1), Duration.ofMillis(Long.parseLong(answer.substring(1, colon))));
        }
        return new Claimed.Unavailable(Unavailability.ERROR, UNEXPECTED);
    }

    @Override
    public CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep) {
        return eval(
                Scripts.LEASE_KEEP,
                List.of(RedisKeys.leaseOf(keys.of(key))),
                answer -> text(answer).equals("K") ? GRANTED : NOBODYS,
                Claimed.Unavailable::new,
                ascii(owner),
                millis(keep));
    }

    @Override
    public CompletionStage<Released> release(CacheKey key, String owner) {
        return eval(
                Scripts.LEASE_KEEP,
                List.of(RedisKeys.leaseOf(keys.of(key))),
                answer -> switch (text(answer)) {
                    case "W" -> Released.WANTED;
                    case "U" -> Released.UNWANTED;
                    default -> Released.NOT_HELD;
                },
                (cause, detail) -> Released.UNAVAILABLE,
                ascii(owner),
                ascii("0"));
    }

    @Override
    public CompletionStage<Taken> take(String bucket, int wanted, int leave, Rate rate) {
        return eval(
                Scripts.RATE_TAKE,
                List.of(keys.bucket(bucket)),
                bytes -> {
                    String answer = text(bytes);
                    int colon = answer.indexOf(':');
                    return colon < 1
                            ? new Taken.Unavailable(Unavailability.ERROR, UNEXPECTED)
                            : new Taken.Tokens(
                                    Integer.parseInt(answer.substring(0, colon)),
                                    Duration.of(Long.parseLong(answer.substring(colon + 1)), ChronoUnit.MICROS));
                },
                Taken.Unavailable::new,
                digits(Math.max(1, wanted)),
                digits(rate.perSecond()),
                digits(rate.burst()),
                digits(leave));
    }

    /** See {@link Prolonging#prolong}. */
    CompletionStage<Prolonged> prolong(Entry entry, byte[] ttl) {
        byte[] envelope = Envelope.encode(entry);
        return eval(
                Scripts.PROLONG,
                List.of(keys.of(entry.key())),
                answer -> switch (text(answer)) {
                    case "D" -> Prolonged.DONE;
                    case "R" -> Prolonged.REPLACED;
                    case "N" -> Prolonged.NOT_HELD;
                    default -> Prolonged.UNAVAILABLE;
                },
                (cause, detail) -> Prolonged.UNAVAILABLE,
                Arrays.copyOf(envelope, Envelope.HEADER_BYTES),
                Arrays.copyOfRange(envelope, envelope.length - Envelope.TRAILER_BYTES, envelope.length),
                digits(envelope.length),
                ttl);
    }

    /** How a call says that there was no answer. */
    @FunctionalInterface
    private interface Failed<T> {
        T because(Unavailability cause, String detail);
    }

    private <T> CompletionStage<T> eval(
            Scripts.Script script,
            List<String> keyNames,
            Function<byte[], T> answered,
            Failed<T> failed,
            Object... arguments) {
        return tier.<byte[], T>call(
                to -> to.withScripts(() -> to.eval(ReturnType.VALUE, script, keyNames, arguments)),
                answer -> answered.apply(answer == null ? NOTHING : answer),
                no -> failed.because(no.cause(), no.detail()));
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.US_ASCII);
    }

    private static byte[] millis(Duration time) {
        return digits(Math.max(1, time.toMillis()));
    }

    private static byte[] digits(long number) {
        return ascii(Long.toString(number));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
