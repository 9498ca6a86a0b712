package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An entry in as few bytes as it can be had back from, the clock of its version aside, which stands before it in clear. What entries of
 * one cache have in common comes first, so that a dictionary has it as one piece:
 *
 * <pre>
 * kind in the two lowest bits, then flags (1): 4 fresh for ever, 8 stale for ever, 16 stale as long as fresh, 32 with tags
 * node half of the version (8)
 * length of the cache name (1), cache name
 * with tags: their number (varint), each: length (varint), UTF-8
 * created, as milliseconds after the version's (zigzag varint)
 * unless for ever: fresh until, after created (zigzag varint)
 * unless for ever or as fresh: stale until, after fresh until (varint)
 * length of the key (varint), key
 * payload: the rest
 * </pre>
 */
final class CompactEntry {
    private static final int KIND_BITS = 3;
    private static final int FRESH_FOREVER = 4;
    private static final int STALE_FOREVER = 8;
    private static final int STALE_AS_FRESH = 16;
    private static final int TAGGED = 32;
    private static final int KNOWN_BITS = 63;
    private static final int MOST_NUMBERS_BYTES = 64;

    private CompactEntry() {}

    /** No entry takes more than this. */
    static int longest(Entry entry) {
        int tags = 0;
        for (String tag : entry.tags()) {
            tags += 10 + 3 * tag.length();
        }
        return MOST_NUMBERS_BYTES + entry.key().nameAndKey().length + tags + entry.payload().length;
    }

    /** Writes {@code entry} into {@code out}, which must have room for {@link #longest}. Returns the length. */
    static int write(Entry entry, byte[] out) {
        CacheKey key = entry.key();
        byte[] nameAndKey = key.nameAndKey();
        boolean freshForever = entry.freshUntilMillis() == Entry.FOREVER;
        boolean staleForever = entry.staleUntilMillis() == Entry.FOREVER;
        boolean same = entry.staleUntilMillis() == entry.freshUntilMillis();
        int flags = entry.kind().code()
                | (freshForever ? FRESH_FOREVER : 0)
                | (staleForever ? STALE_FOREVER : same ? STALE_AS_FRESH : 0)
                | (entry.tags().isEmpty() ? 0 : TAGGED);
        out[0] = (byte) flags;
        int at = Cursor.putNumber(out, 1, entry.version().node(), Long.BYTES);
        out[at++] = (byte) key.nameLength();
        at = Cursor.put(out, at, nameAndKey, 0, key.nameLength());
        if (!entry.tags().isEmpty()) {
            at = Cursor.putVarint(out, at, entry.tags().size());
            for (String tag : entry.tags()) {
                byte[] utf8 = tag.getBytes(StandardCharsets.UTF_8);
                at = Cursor.putVarint(out, at, utf8.length);
                at = Cursor.put(out, at, utf8, 0, utf8.length);
            }
        }
        // Differences wrap around where the times are far apart, and back when they are added.
        at = Cursor.putZigzag(out, at, entry.createdMillis() - entry.version().epochMillis());
        if (!freshForever) {
            at = Cursor.putZigzag(out, at, entry.freshUntilMillis() - entry.createdMillis());
        }
        if (!staleForever && !same) {
            at = Cursor.putVarint(out, at, entry.staleUntilMillis() - entry.freshUntilMillis());
        }
        at = Cursor.putVarint(out, at, key.keyLength());
        at = Cursor.put(out, at, nameAndKey, key.nameLength(), key.keyLength());
        return Cursor.put(out, at, entry.payload(), 0, entry.payload().length);
    }

    /** The entry that was written, or null when the bytes are not one. Any bytes are safe to pass. */
    static @Nullable Entry read(long versionClock, byte[] bytes, int from, int end) {
        Cursor in = new Cursor(bytes, from, end);
        int flags = in.u8();
        EntryKind kind = EntryKind.ofCode((byte) (flags & KIND_BITS));
        Version version = new Version(versionClock, in.number(Long.BYTES));
        byte[] name = in.take(in.u8());
        List<String> tags = (flags & TAGGED) == 0 ? List.of() : readTags(in);
        long created = version.epochMillis() + in.zigzag();
        long fresh = (flags & FRESH_FOREVER) != 0 ? Entry.FOREVER : created + in.zigzag();
        long stale = Entry.FOREVER;
        if ((flags & STALE_FOREVER) == 0) {
            stale = (flags & STALE_AS_FRESH) != 0 ? fresh : fresh + in.varint();
        }
        byte[] key = in.take(in.varint());
        byte[] payload = in.take(in.left());
        if (in.isBad()
                || kind == null
                || (flags & ~KNOWN_BITS) != 0
                || name.length == 0
                || key.length == 0
                || key.length > CacheKey.MAX_KEY_BYTES
                || stale < fresh
                || (kind != EntryKind.VALUE && payload.length != 0)) {
            return null;
        }
        String cache = new String(name, StandardCharsets.UTF_8);
        // A name that is not UTF-8 comes back as another, perhaps longer than a name may be.
        return Arrays.equals(cache.getBytes(StandardCharsets.UTF_8), name)
                ? new Entry(CacheKey.of(cache, key), kind, version, created, fresh, stale, tags, payload)
                : null;
    }

    private static List<String> readTags(Cursor in) {
        long count = in.varint();
        List<String> tags = new ArrayList<>();
        for (long i = 0; i < count && !in.isBad(); i++) {
            tags.add(new String(in.take(in.varint()), StandardCharsets.UTF_8));
        }
        return tags;
    }
}
