package dev.terrace.tier.local;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * A part of the map in memory: entries in runs of chunks. Writers take its lock; readers copy without it and look whether a writer came
 * between, so a reader neither waits nor allocates as long as writers are few. Where a run is wanted that is nowhere free in one piece,
 * entries are moved together: a part has no room only when it has not so many free chunks at all.
 *
 * <p>An entry is: hash (16 bytes), deadline (8), length of the envelope (4), slot (4), envelope.
 */
final class MemoryPart implements Buckets.Places {
    private static final int LOW_AT = 8;
    private static final int DEADLINE_AT = 16;
    private static final int LENGTH_AT = 24;
    private static final int SLOT_AT = 28;
    private static final int HEADER_BYTES = 32;

    private static final int OPTIMISTIC_READS = 4;

    private final ByteBuffer memory;
    private final Buckets buckets;
    private final Space space;
    private final int chunkBytes;
    private final StampedLock lock = new StampedLock();
    private int held;

    MemoryPart(ByteBuffer memory, int chunkBytes, Buckets buckets) {
        this.memory = memory;
        this.chunkBytes = chunkBytes;
        this.buckets = buckets;
        this.space = new Space(memory.capacity() / chunkBytes);
    }

    /** Not exact beside writers. */
    int held() {
        return held;
    }

    /** Of the first chunk, counted from 1: 0 is nowhere. */
    private int addressOf(int place) {
        return (place - 1) * chunkBytes;
    }

    private int chunksFor(int length) {
        return (HEADER_BYTES + length + chunkBytes - 1) / chunkBytes;
    }

    private int spanAt(int chunk) {
        return chunksFor(memory.getInt(chunk * chunkBytes + LENGTH_AT));
    }

    @Override
    public boolean isFor(int place, HashKey key) {
        int at = addressOf(place);
        return memory.getLong(at) == key.high && memory.getLong(at + LOW_AT) == key.low;
    }

    /** Reads into {@code using}; false when there is nothing. */
    boolean get(HashKey key, StoredValue using) {
        for (int i = 0; i < OPTIMISTIC_READS; i++) {
            long stamp = lock.tryOptimisticRead();
            if (stamp != 0) {
                boolean found = copy(key, using, stamp);
                if (lock.validate(stamp)) {
                    return found;
                }
            }
        }
        long stamp = lock.readLock();
        try {
            return copy(key, using, stamp);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** What is found is to be believed only if the stamp is still valid. */
    boolean copy(HashKey key, StoredValue using, long stamp) {
        int slot = buckets.find(key, this);
        if (slot == Buckets.NONE) {
            return false;
        }
        int place = buckets.place(slot);
        if (place == 0 || place == Buckets.GONE) {
            return false; // Has just gone.
        }
        int at = addressOf(place);
        int length = memory.getInt(at + LENGTH_AT);
        if (length < 0 || length > memory.capacity() - at - HEADER_BYTES) {
            return false; // Another is being written there.
        }
        if (length > using.envelope.length && !lock.validate(stamp)) {
            return false; // Nor is memory taken for what may be no length at all, but some bytes of another.
        }
        using.slot = slot;
        using.deadlineMillis = memory.getLong(at + DEADLINE_AT);
        using.resize(length);
        memory.get(at + HEADER_BYTES, using.envelope, 0, length);
        return true;
    }

    /** Null when it is in, under the slot that it now says, or why not: then an entry that was there is gone, but for its slot. */
    @Nullable
    String put(HashKey key, StoredValue value) {
        long stamp = lock.writeLock();
        try {
            int slot = buckets.find(key, this);
            return slot == Buckets.NONE ? add(key, value) : replace(slot, key, value);
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private @Nullable String add(HashKey key, StoredValue value) {
        int chunk = take(chunksFor(value.length));
        if (chunk == Space.NONE) {
            return noRoom(value);
        }
        int slot = buckets.claim(key, chunk + 1);
        if (slot == Buckets.NONE) {
            space.free(chunk, chunksFor(value.length));
            return "no cell is free in this part";
        }
        write(chunk, slot, key, value);
        held++;
        return null;
    }

    private @Nullable String replace(int slot, HashKey key, StoredValue value) {
        int wanted = chunksFor(value.length);
        int old = buckets.place(slot) - 1;
        int span = spanAt(old);
        if (wanted <= span) {
            space.free(old + wanted, span - wanted);
            write(old, slot, key, value);
            return null;
        }
        space.free(old, span);
        buckets.place(slot, Buckets.GONE);
        int chunk = take(wanted);
        if (chunk == Space.NONE) {
            held--;
            return noRoom(value);
        }
        buckets.place(slot, chunk + 1);
        write(chunk, slot, key, value);
        return null;
    }

    private String noRoom(StoredValue value) {
        return "no " + chunksFor(value.length) + " chunks are free in this part";
    }

    private void write(int chunk, int slot, HashKey key, StoredValue value) {
        int at = chunk * chunkBytes;
        memory.putLong(at, key.high);
        memory.putLong(at + LOW_AT, key.low);
        memory.putLong(at + DEADLINE_AT, value.deadlineMillis);
        memory.putInt(at + LENGTH_AT, value.length);
        memory.putInt(at + SLOT_AT, slot);
        memory.put(at + HEADER_BYTES, value.envelope, 0, value.length);
        value.slot = slot;
    }

    /** A run of free chunks, which are moved together if they must be. */
    private int take(int wanted) {
        int found = space.take(wanted);
        if (found != Space.NONE || space.free() < wanted) {
            return found;
        }
        int from = gather(space.nextFree(space.next()), wanted, Integer.MAX_VALUE);
        if (from + wanted > space.count()) {
            // Not so many from there to the end.
            from = gather(space.nextFree(0), wanted, Integer.MAX_VALUE);
        }
        space.claim(from, wanted);
        return from;
    }

    /**
     * Moves entries down from a free chunk on, until as many as are wanted are free in one run.
     *
     * @param most chunks that are moved
     * @return where the free run begins
     */
    private int gather(int from, int wanted, int most) {
        int to = from;
        int moved = 0;
        while (moved < most) {
            int next = space.nextTaken(to, space.count());
            if (next - to >= wanted || next == space.count()) {
                break;
            }
            int span = spanAt(next);
            move(next, to, span);
            to += span;
            moved += span;
        }
        return to;
    }

    private void move(int from, int to, int span) {
        int slot = memory.getInt(from * chunkBytes + SLOT_AT);
        memory.put(to * chunkBytes, memory, from * chunkBytes, span * chunkBytes);
        space.moved(from, to, span);
        buckets.place(slot, to + 1);
    }

    /** Moves so many bytes of entries towards the beginning; where to go on, or {@link Space#NONE} when all are together. */
    int tighten(int from, int bytes) {
        long stamp = lock.writeLock();
        try {
            int to = gather(space.nextFree(from), space.count(), Math.max(1, bytes / chunkBytes));
            return space.nextTaken(to, space.count()) == space.count() ? Space.NONE : to;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Of the entry of a key, which has this slot if it is there. Its slot is free from now on. */
    void remove(HashKey key, int slot) {
        long stamp = lock.writeLock();
        try {
            int found = isAt(slot, key) ? slot : buckets.find(key, this);
            if (found == Buckets.NONE) {
                return;
            }
            int place = buckets.place(found);
            if (place != Buckets.GONE) {
                space.free(place - 1, spanAt(place - 1));
                held--;
            }
            buckets.leave(key, found);
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private boolean isAt(int slot, HashKey key) {
        if (!buckets.mayBe(slot, key)) {
            return false;
        }
        int place = buckets.place(slot);
        return place == Buckets.GONE || isFor(place, key);
    }

    List<EntryMap.Resident> residents() {
        long stamp = lock.readLock();
        try {
            List<EntryMap.Resident> residents = new ArrayList<>();
            for (int slot = buckets.firstSlot(); slot < buckets.endSlot(); slot++) {
                int place = buckets.place(slot);
                if (place != 0 && place != Buckets.GONE) {
                    int at = addressOf(place);
                    residents.add(new EntryMap.Resident(
                            new HashKey().set(memory.getLong(at), memory.getLong(at + LOW_AT)), slot));
                }
            }
            return residents;
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** For who gives back what is free, while nobody writes. */
    Space space() {
        return space;
    }
}
