package dev.terrace.tier.local;

import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import java.nio.MappedByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A part of the file with records of its own. Writers take its lock; readers copy without it and look whether a writer came between, so a
 * reader neither waits nor allocates as long as writers are few. Whatever the file holds, nothing outside the segment is read or written.
 */
final class FileSegment {
    private static final int OPTIMISTIC_READS = 4;

    private final MappedByteBuffer memory;
    private final HighWater highWater;
    private final long salt;
    private final int chunkBytes;
    private final int chunkCount;
    private final StampedLock lock = new StampedLock();
    private Chunks chunks;
    private volatile Places places;

    /** Says what is to become of records that were found. Thread-safe. */
    interface Adopter {
        /** Those that records are counted in. */
        Groups groups();

        /** No later than this by the wall clock may anything of now be answered. */
        long latestDeadline();

        /**
         * Whether a record is of any use.
         *
         * @param versionClock of its version, which nobody has checked
         * @param tagged whether it has tags
         */
        boolean mayStay(long versionClock, boolean tagged, long deadlineMillis);

        /** Gives slots in this process to as many as there is room for. */
        void adopt(Harvest found);

        /** They go after all. */
        void giveBack(Harvest found);
    }

    FileSegment(MappedByteBuffer memory, HighWater highWater, long salt, int chunkBytes, int expectedEntries) {
        this(memory, highWater, salt, chunkBytes, new Places(expectedEntries));
    }

    /** @param places empty */
    FileSegment(MappedByteBuffer memory, HighWater highWater, long salt, int chunkBytes, Places places) {
        this.highWater = highWater;
        this.memory = memory;
        this.salt = salt;
        this.chunkBytes = chunkBytes;
        this.chunkCount = memory.capacity() / chunkBytes;
        this.chunks = new Chunks(chunkCount);
        this.places = places;
    }

    /** Reads into {@code using}; false when there is nothing. */
    boolean get(HashKey key, StoredValue using) {
        for (int i = 0; i < OPTIMISTIC_READS; i++) {
            long stamp = lock.tryOptimisticRead();
            if (stamp != 0) {
                boolean found = copy(key, using);
                if (lock.validate(stamp)) {
                    return found;
                }
            }
        }
        long stamp = lock.readLock();
        try {
            return copy(key, using);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    private boolean copy(HashKey key, StoredValue using) {
        Places now = places;
        int cell = find(now, key);
        if (cell == Places.NONE) {
            return false;
        }
        int at = now.chunkAt(cell) * chunkBytes;
        if (at < 0) {
            using.damaged();
        } else {
            FileRecord.read(memory, at, salt, now.slotAt(cell), using);
        }
        return true;
    }

    /** The cell of the key's record; of a damaged one that may be the key's when there is no better. */
    private int find(Places among, HashKey key) {
        int fingerprint = Places.fingerprint(key);
        int damaged = Places.NONE;
        int seen = 0;
        for (int cell = among.first(fingerprint);
                cell != Places.NONE && seen++ < chunkCount;
                cell = among.next(cell, fingerprint)) {
            int at = among.chunkAt(cell) * chunkBytes;
            if (at < 0 || !FileRecord.isSound(memory, at, salt)) {
                damaged = cell;
            } else if (FileRecord.isFor(memory, at, key)) {
                return cell;
            }
        }
        return damaged;
    }

    /** Null when it is in, or why not. */
    @Nullable
    String put(HashKey key, StoredValue value) {
        long stamp = lock.writeLock();
        try {
            // All that may fail comes before the record counts: the next process adopts whatever counts.
            int old = find(places, key);
            if (old == Places.NONE) {
                makePlace();
            }
            int chunk = chunks.take(chunksFor(value.length));
            if (chunk < 0 && old != Places.NONE) {
                removeAt(old);
                old = Places.NONE;
                chunk = chunks.take(chunksFor(value.length));
            }
            if (chunk < 0) {
                return "no run of " + chunksFor(value.length) + " chunks is free in the segment";
            }
            highWater.raise(chunk + chunksFor(value.length));
            int gone = old == Places.NONE ? Places.NONE : places.chunkAt(old);
            write(chunk, key, value, gone);
            if (old == Places.NONE) {
                places.add(Places.fingerprint(key), chunk, value.slot);
            } else {
                places.replace(old, chunk, value.slot);
                chunks.free(gone);
            }
            return null;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Writes a record, then wipes the one that it replaces, if there is one; both or neither, unless the process dies between. */
    private void write(int chunk, HashKey key, StoredValue value, int gone) {
        boolean written = false;
        try {
            FileRecord.write(memory, chunk * chunkBytes, salt, key, value);
            if (gone != Places.NONE) {
                FileRecord.wipe(memory, gone * chunkBytes);
            }
            written = true;
        } finally {
            if (!written) {
                giveBack(chunk);
            }
        }
    }

    private void makePlace() {
        if (places.isFull()) {
            places = places.grown();
        }
    }

    private void giveBack(int chunk) {
        FileRecord.wipe(memory, chunk * chunkBytes);
        chunks.free(chunk);
    }

    private int chunksFor(int length) {
        return (FileRecord.HEADER_BYTES + length + chunkBytes - 1) / chunkBytes;
    }

    void remove(HashKey key) {
        long stamp = lock.writeLock();
        try {
            int cell = find(places, key);
            if (cell != Places.NONE) {
                removeAt(cell);
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private void removeAt(int cell) {
        int chunk = places.chunkAt(cell);
        places.remove(cell);
        giveBack(chunk);
    }

    /** See {@link EntryMap#inTheWay}; readers need not wait meanwhile, writers do. */
    int @Nullable [] inTheWay(int wanted, IntPredicate mayGo) {
        long stamp = lock.readLock();
        try {
            return new Windows(chunks, chunkCount, places.sorted(places::slotAt)).cheapest(wanted, mayGo);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Of all that is sound. */
    List<EntryMap.Resident> residents() {
        long stamp = lock.readLock();
        try {
            List<EntryMap.Resident> residents = new ArrayList<>();
            for (long place : places.sorted(places::slotAt)) {
                int at = (int) (place >>> 32) * chunkBytes;
                if (FileRecord.isSound(memory, at, salt)) {
                    HashKey key = new HashKey();
                    FileRecord.key(memory, at, key);
                    residents.add(new EntryMap.Resident(key, (int) place));
                }
            }
            return residents;
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Moves all together, towards the beginning. */
    void compact() {
        long stamp = lock.writeLock();
        try {
            int to = 0;
            for (long place : places.sorted(cell -> cell)) {
                int from = (int) (place >>> 32);
                int span = chunks.end(from) - from;
                if (from != to) {
                    move(from, to, span);
                    places.replace((int) place, to, places.slotAt((int) place));
                }
                to += span;
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** A kill in between loses the record. One that is damaged stays so. */
    private void move(int from, int to, int span) {
        int old = from * chunkBytes;
        int at = to * chunkBytes;
        boolean sound = FileRecord.isSound(memory, old, salt);
        FileRecord.wipe(memory, old);
        memory.put(at, memory, old, span * chunkBytes);
        if (sound) {
            FileRecord.end(memory, at, salt, FileRecord.deadline(memory, at));
        }
        chunks.free(from);
        chunks.claim(to, span);
    }

    /**
     * Finds the records that an earlier process left, all or none. Before anything else is called.
     *
     * @param found for this thread's use
     * @param torn whether pages of different moments may lie beside each other
     * @return false when none can be read
     */
    boolean attach(Adopter adopter, Harvest found, boolean torn) {
        found.clear();
        try {
            // The disk may lack what is said of how far records go, and have the records.
            highWater.begin(walk(adopter, found, torn, torn ? chunkCount : Math.min(chunkCount, highWater.left())));
            adopter.adopt(found);
            settle(found);
            return true;
        } catch (RuntimeException | InternalError unreadable) {
            adopter.giveBack(found);
            wipe();
            return false;
        }
    }

    /** Where the last record ends. */
    private int walk(Adopter adopter, Harvest found, boolean torn, int end) {
        HashKey key = new HashKey();
        StoredValue scratch = new StoredValue();
        int last = 0;
        int chunk = 0;
        while (chunk < end) {
            int at = chunk * chunkBytes;
            boolean marked = at + FileRecord.HEADER_BYTES <= memory.capacity() && FileRecord.isMarked(memory, at);
            chunk += marked ? find(adopter, found, key, chunk, torn ? scratch : null) : 1;
            last = marked ? chunk : last;
        }
        return last;
    }

    /**
     * Takes a record up, under its number for its slot; how many chunks were dealt with.
     *
     * @param torn to look at all of the record first; null when its header says enough. A header that the disk has kept too long may
     *     span records that were written over its envelope, and they must not be passed over
     */
    private int find(Adopter adopter, Harvest found, HashKey key, int chunk, @Nullable StoredValue torn) {
        int at = chunk * chunkBytes;
        if (!FileRecord.isSound(memory, at, salt) || torn != null && view(at, torn) == null) {
            // Free from now on; must not seem to count once its room has been given to others.
            FileRecord.wipe(memory, at);
            return 1;
        }
        FileRecord.key(memory, at, key);
        int length = FileRecord.length(memory, at);
        int span = chunksFor(length);
        int old = find(places, key);
        if (old != Places.NONE && !isNewer(at, places.chunkAt(old) * chunkBytes)) {
            FileRecord.wipe(memory, at);
            return span;
        }
        if (old != Places.NONE) {
            int gone = places.chunkAt(old);
            found.forget(places.slotAt(old));
            places.remove(old);
            giveBack(gone);
        }
        long deadline = Math.min(FileRecord.deadline(memory, at), adopter.latestDeadline());
        int envelope = at + FileRecord.HEADER_BYTES;
        int group = found.groupOf(memory, envelope, length);
        if (group == Harvest.NO_GROUP
                || !adopter.mayStay(
                        Envelope.peekVersionClock(memory, envelope), Envelope.peekTagged(memory, envelope), deadline)) {
            FileRecord.wipe(memory, at);
            return span;
        }
        if (deadline != FileRecord.deadline(memory, at)) {
            FileRecord.end(memory, at, salt, deadline);
        }
        makePlace();
        chunks.claim(chunk, span);
        places.add(
                Places.fingerprint(key),
                chunk,
                found.add(key, length, deadline, group, Envelope.peekVersionClock(memory, envelope)));
        return span;
    }

    /** Slots instead of numbers; who was given none goes. */
    private void settle(Harvest found) {
        places.renumber(found::slotOf);
        HashKey key = new HashKey();
        for (int i = 0; i < found.count(); i++) {
            if (found.isWanted(i) && found.slotOf(i) == StoredValue.NO_SLOT) {
                found.keyOf(i, key);
                remove(key);
            }
        }
    }

    /** Of two records of one key, which a kill between writing the one and wiping the other leaves. */
    private boolean isNewer(int at, int other) {
        EnvelopeView mine = view(at, new StoredValue());
        EnvelopeView theirs = view(other, new StoredValue());
        return theirs == null || mine != null && !theirs.version().isNewerThan(mine.version());
    }

    /** Null when the envelope is not sound. */
    private @Nullable EnvelopeView view(int at, StoredValue scratch) {
        FileRecord.read(memory, at, salt, StoredValue.NO_SLOT, scratch);
        EnvelopeView view = new EnvelopeView();
        return view.wrap(scratch.envelope, scratch.length) == null ? view : null;
    }

    /** Forgets all that an earlier process left. */
    private void wipe() {
        chunks = new Chunks(chunkCount);
        places = new Places(chunkCount / 2);
        byte[] zeros = new byte[1 << 16];
        for (int at = 0; at < memory.capacity(); at += zeros.length) {
            memory.put(at, zeros, 0, Math.min(zeros.length, memory.capacity() - at));
        }
        highWater.begin(0);
    }

    int size() {
        return places.held();
    }

    long indexBytes() {
        return places.bytes();
    }

    /** Returns when the disk has what was written before. */
    void sync(Disk disk) {
        disk.take(memory);
    }
}
