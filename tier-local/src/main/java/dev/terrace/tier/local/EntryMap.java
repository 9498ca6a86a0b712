package dev.terrace.tier.local;

import dev.terrace.tier.local.policy.UseCells;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Where envelopes lie, by hash: {@link MemoryMap} in memory, {@link FileMap} in a file. Thread-safe for readers beside writers of any key;
 * callers serialise writers of one key among themselves, and never call after {@link #close}.
 */
interface EntryMap {
    /**
     * The states of the uses of this map's own slots: it finds a slot for each entry that it takes in, which the entry keeps, and which is free
     * once the entry is removed. Null when slots are its caller's business.
     */
    default @Nullable UseCells ownSlots() {
        return null;
    }

    /**
     * Reads into {@code using}; false when there is nothing. What is known to be damaged comes with the slot {@link StoredValue#NO_SLOT}.
     */
    boolean get(HashKey key, StoredValue using);

    /**
     * Stores. A reader beside it finds what was there before or what is there now. With slots of its own, tells the value its slot.
     *
     * @return null, or why there was no room: some part is full though the map as a whole is not. What was held under the key is gone then
     */
    @Nullable
    String put(HashKey key, StoredValue value);

    /** @param slot of the entry that is thought to be there */
    void remove(HashKey key, int slot);

    /**
     * The slots of those who have to go so that {@code bytes} more, in whole chunks, find room in that part of the map that {@code key} belongs
     * to: of those who may go, and as few as possible.
     *
     * @return null when that is not to be had, or the map does not know where an entry lies
     */
    default int @Nullable [] inTheWay(HashKey key, int bytes, IntPredicate mayGo) {
        return null;
    }

    /** What is held in that part of the map that {@code key} belongs to. Writers to that part wait meanwhile. */
    List<Resident> beside(HashKey key);

    /** A key and the slot of what is held under it, which nobody has checked. */
    record Resident(HashKey key, int slot) {}

    /** Brings what is free in that part together. */
    void compact(HashKey key);

    /** Address space taken, more than what was touched. */
    long reservedBytes();

    /** How many there are; not exact beside writers. */
    int size();

    /** The memory under the map. */
    Pages pages();

    /** Memory that can be looked at, and given back, part by part. Only while the map is open. */
    interface Pages {
        int tiers();

        /** Whether what is free can be given back; else the system drops what it wants by itself. */
        boolean canBeGivenBack();

        /** Bytes of a part that lie in memory; {@link ResidentPages#UNKNOWN} where the system does not say. */
        long residentBytes(int tier);

        /**
         * Moves some of the entries of a part towards its beginning, beside readers and writers.
         *
         * @param from what the last call said, 0 at first
         * @return negative when all are together
         */
        default int tighten(int tier, int from) {
            return -1;
        }

        /** Gives back what is free in a part, which lies in small pages from then on; bytes of address space. Nobody may write to the map meanwhile. */
        long release(int tier);

        /** Bytes of a huge page. */
        int HUGE_BYTES = 2 << 20;

        /** Bytes of what is asked for at a time: each asking makes all processors empty their lists of pages. */
        int PIECE_BYTES = 16 * HUGE_BYTES;

        /** What became of a piece of memory. */
        enum Piece {
            /** There are not so many. */
            NONE,
            /** It will lie in huge pages when it is first used, or when the system gets round to it. */
            LATER,
            HUGE
        }

        /** Asks for huge pages for a piece of the map's memory, counted from 0. Readers and writers go on. */
        default Piece enlarge(int piece) {
            return Piece.NONE;
        }
    }

    /** What it is made of, for people. */
    String description();

    /**
     * Ends it.
     *
     * @param alone whether it is certain that no reader is left
     */
    void close(boolean alone);
}
