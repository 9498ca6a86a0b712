package dev.terrace.tier.redis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the stream.
 *
 * @param id its stream id
 * @param frame what the append script says about it; null when that script did not write it
 */
record LogEntry(String id, @Nullable Frame frame) {
    /**
     * @param identity the log it belongs to
     * @param last position of its last notice
     * @param count how many notices it holds
     * @param payload the notices; null when they are longer than any build writes
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Frame(String identity, long last, long count, byte @Nullable [] payload) {}

    /** Reads the answer of XREAD; empty when nothing came. */
    static List<LogEntry> all(@Nullable Object answer) throws IOException {
        if (answer == null) {
            return List.of();
        }
        if (answer instanceof List<?> streams
                && streams.size() == 1
                && streams.get(0) instanceof List<?> stream
                && stream.size() == 2
                && stream.get(1) instanceof List<?> entries) {
            List<LogEntry> all = new ArrayList<>(entries.size());
            for (Object entry : entries) {
                all.add(one(entry));
            }
            return all;
        }
        throw new IOException("the log's answer cannot be read");
    }

    private static LogEntry one(@Nullable Object entry) throws IOException {
        if (entry instanceof List<?> parts && parts.size() == 2) {
            String id = RespConnection.textOf(parts.get(0));
            if (id != null) {
                return new LogEntry(id, parts.get(1) instanceof List<?> fields ? frame(fields) : null);
            }
        }
        throw new IOException("the log's answer cannot be read");
    }

    private static @Nullable Frame frame(List<?> fields) {
        String identity = field(fields, 0, "i");
        String last = field(fields, 2, "s");
        String count = field(fields, 4, "c");
        if (identity == null || last == null || count == null || !"n".equals(RespConnection.textOf(name(fields, 6)))) {
            return null;
        }
        try {
            long notices = Long.parseLong(count);
            return notices < 0
                    ? null
                    : new Frame(
                            identity,
                            Long.parseLong(last),
                            notices,
                            fields.get(7) instanceof byte[] payload ? payload : null);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable Object name(List<?> fields, int at) {
        return fields.size() > at + 1 ? fields.get(at) : null;
    }

    private static @Nullable String field(List<?> fields, int at, String name) {
        return name.equals(RespConnection.textOf(name(fields, at))) ? RespConnection.textOf(fields.get(at + 1)) : null;
    }

    /** Compares stream ids, which are two unsigned numbers. */
    static int compare(String left, String right) {
        String[] a = left.split("-", 2);
        String[] b = right.split("-", 2);
        int byTime = Long.compareUnsigned(Long.parseUnsignedLong(a[0]), Long.parseUnsignedLong(b[0]));
        return byTime != 0 ? byTime : Long.compareUnsigned(Long.parseUnsignedLong(a[1]), Long.parseUnsignedLong(b[1]));
    }
}
