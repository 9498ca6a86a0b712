package dev.terrace.node.drill;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Which writes were acknowledged as durable, with their versions, and which were tried. Values are judged by their digest against what was
 * written ({@link Values#number}). Thread-safe, as long as each key is written by one thread at a time.
 */
final class Ledger {
    private final Values values;
    private final AtomicReferenceArray<List<Ack>> acks;
    private final AtomicIntegerArray tried;
    private final AtomicLong count = new AtomicLong();

    Ledger(Values values, int entries) {
        this.values = values;
        this.acks = new AtomicReferenceArray<>(entries);
        this.tried = new AtomicIntegerArray(entries);
    }

    /**
     * A write that was acknowledged as durable.
     *
     * @param number which write of its key, from 1
     * @param version as the receipt says
     * @param atNanos when the receipt arrived, by the process's clock
     */
    record Ack(int number, Version version, long atNanos) {}

    int entries() {
        return acks.length();
    }

    Values values() {
        return values;
    }

    /** The number of the next write of a key, which is tried from now on. */
    int next(int index) {
        return tried.incrementAndGet(index);
    }

    void acknowledged(int index, Ack ack) {
        List<Ack> before = of(index);
        List<Ack> after = new ArrayList<>(before);
        after.add(ack);
        acks.set(index, List.copyOf(after));
        count.incrementAndGet();
    }

    /** Oldest first. */
    List<Ack> of(int index) {
        List<Ack> known = acks.get(index);
        return known == null ? List.of() : known;
    }

    int lastAcknowledged(int index) {
        List<Ack> all = of(index);
        return all.isEmpty() ? 0 : all.get(all.size() - 1).number();
    }

    /** All writes that were acknowledged. */
    long acknowledged() {
        return count.get();
    }

    /** As it is now; what is acknowledged later is not in it, but is known to have been tried. */
    Ledger copy() {
        Ledger copy = new Ledger(values, entries());
        for (int i = 0; i < entries(); i++) {
            copy.acks.set(i, of(i));
            copy.tried.set(i, tried.get(i));
        }
        copy.count.set(count.get());
        return copy;
    }

    /** What is found of one key. */
    enum Finding {
        /** The newest that was acknowledged, or a later one whose answer never came. */
        NEWEST,
        /** An older one that was acknowledged. */
        OLDER,
        /** Nothing. */
        MISSING,
        /** Bytes that were never written under this key. */
        WRONG_BYTES,
        /** The bytes of a write under a version that it did not have. */
        WRONG_VERSION;

        /** Whether it is a write that was acknowledged. */
        boolean isAcknowledged() {
            return this == NEWEST || this == OLDER;
        }
    }

    /**
     * Judges what is found.
     *
     * @param value null when nothing is there
     */
    Finding judge(int index, byte @Nullable [] value, @Nullable Version version) {
        if (value == null) {
            return Finding.MISSING;
        }
        int number = values.number(index, value);
        if (number == 0 || number > tried.get(index)) {
            return Finding.WRONG_BYTES;
        }
        for (Ack ack : of(index)) {
            if (ack.number() == number && !ack.version().equals(version)) {
                return Finding.WRONG_VERSION;
            }
        }
        return number >= lastAcknowledged(index) ? Finding.NEWEST : Finding.OLDER;
    }

    /** The writes that were acknowledged and are newer than what is found. */
    List<Ack> lost(int index, byte @Nullable [] value) {
        int found = value == null ? 0 : values.number(index, value);
        return of(index).stream().filter(ack -> ack.number() > found).toList();
    }
}
