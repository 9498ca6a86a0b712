package dev.terrace.tier.local;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Envelope;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The records that one thread found in a segment, by number, with what they need of this process, and the slots they are given. Reusable, so that a
 * million of them are no million objects.
 */
final class Harvest {
    /** No record has this group. */
    static final int NO_GROUP = -1;

    private static final int NAMES = 64;

    private final Groups groups;
    private final byte[] @Nullable [] names = new byte[NAMES][];
    private final int[] groupsOfNames = new int[NAMES];
    private int count;
    private long[] highs = new long[1024];
    private long[] lows = new long[1024];
    private long[] deadlines = new long[1024];
    private int[] lengths = new int[1024];
    private int[] groupsOf = new int[1024];
    private int[] slots = new int[1024];
    private long newestClock;

    Harvest(Groups groups) {
        this.groups = groups;
    }

    /** Begins anew with another segment. */
    void clear() {
        count = 0;
        newestClock = 0;
    }

    /** The group of a record by its envelope, which nobody has checked; {@link #NO_GROUP} when it has no key. */
    int groupOf(ByteBuffer segment, int at, int length) {
        int nameLength = Envelope.peekNameLength(segment, at, length);
        if (nameLength == 0) {
            return NO_GROUP;
        }
        int cell = cell(segment, at + Envelope.HEADER_BYTES, nameLength);
        if (groups.areByCache() && isName(segment, at + Envelope.HEADER_BYTES, nameLength, names[cell])) {
            return groupsOfNames[cell];
        }
        CacheKey key = Envelope.peekKey(segment, at, length);
        if (key == null) {
            return NO_GROUP;
        }
        names[cell] = Arrays.copyOf(key.nameAndKey(), nameLength);
        groupsOfNames[cell] = groups.of(key);
        return groupsOfNames[cell];
    }

    private static int cell(ByteBuffer in, int at, int length) {
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = hash * 31 + in.get(at + i);
        }
        return hash & NAMES - 1;
    }

    private static boolean isName(ByteBuffer in, int at, int length, byte @Nullable [] name) {
        if (name == null || name.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (in.get(at + i) != name[i]) {
                return false;
            }
        }
        return true;
    }

    /** Adds a record; its number. */
    int add(HashKey key, int length, long deadlineMillis, int group, long versionClock) {
        if (count == slots.length) {
            int room = count * 2;
            highs = Arrays.copyOf(highs, room);
            lows = Arrays.copyOf(lows, room);
            deadlines = Arrays.copyOf(deadlines, room);
            lengths = Arrays.copyOf(lengths, room);
            groupsOf = Arrays.copyOf(groupsOf, room);
            slots = Arrays.copyOf(slots, room);
        }
        highs[count] = key.high;
        lows[count] = key.low;
        deadlines[count] = deadlineMillis;
        lengths[count] = length;
        groupsOf[count] = group;
        slots[count] = StoredValue.NO_SLOT;
        newestClock = Math.max(newestClock, versionClock);
        return count++;
    }

    /** There is a newer one of its key. */
    void forget(int number) {
        lengths[number] = -1;
    }

    /** Whether it is still one that may stay. */
    boolean isWanted(int number) {
        return lengths[number] >= 0;
    }

    int count() {
        return count;
    }

    void keyOf(int number, HashKey into) {
        into.set(highs[number], lows[number]);
    }

    long deadlineOf(int number) {
        return deadlines[number];
    }

    int lengthOf(int number) {
        return lengths[number];
    }

    int groupOf(int number) {
        return groupsOf[number];
    }

    /** {@link StoredValue#NO_SLOT} when it has none. */
    int slotOf(int number) {
        return slots[number];
    }

    void give(int number, int slot) {
        slots[number] = slot;
    }

    /** At least that of each record's version. */
    long newestClock() {
        return newestClock;
    }
}
