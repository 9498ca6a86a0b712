package dev.terrace.tier.redis;

import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** How scripts are told of versions, conditions and times. */
final class ScriptWords {
    private static final byte[] NOTHING = new byte[0];
    private static final byte[] IF_NEWER = {'N'};
    private static final byte[] IF_ABSENT = {'A'};
    private static final byte[] IF_VERSION = {'V'};
    private static final byte[] IF_UNCHANGED = {'U'};

    /** Longer times to live are stored without one: Redis's clock arithmetic must not overflow. */
    private static final long LONGEST_TTL_MILLIS = TimeUnit.DAYS.toMillis(3650);

    private ScriptWords() {}

    /** The version that scripts are to compare with, for conditions that name one. */
    static byte[] expectedBy(WriteCondition condition) {
        if (condition instanceof WriteCondition.IfVersion wanted) {
            return bytesOf(wanted.expected());
        }
        return condition instanceof WriteCondition.IfUnchanged since && since.seen() != null
                ? bytesOf(since.seen())
                : NOTHING;
    }

    /** How scripts are told the condition. */
    static byte[] codeOf(WriteCondition condition) {
        if (condition instanceof WriteCondition.IfUnchanged) {
            return IF_UNCHANGED;
        }
        return condition instanceof WriteCondition.IfNewer
                ? IF_NEWER
                : condition instanceof WriteCondition.IfAbsent ? IF_ABSENT : IF_VERSION;
    }

    /** The time to live that scripts take: milliseconds, 0 for ever, -1 over already. */
    static byte[] ttlOf(Entry entry, long now) {
        long left = entry.staleUntilMillis() - now;
        String ttl = left <= 0 ? "-1" : left > LONGEST_TTL_MILLIS ? "0" : Long.toString(left);
        return ttl.getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] bytesOf(Version version) {
        return ByteBuffer.allocate(Version.BYTES)
                .putLong(version.clock())
                .putLong(version.node())
                .array();
    }

    /** A number in digits. */
    static byte[] digits(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }
}
