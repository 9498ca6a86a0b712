package dev.terrace.tier.local.policy;

import java.util.Arrays;

/** A few first-in-first-out queues over numbered slots, each slot in one of them at most. Not thread-safe. */
final class Queues {
    static final int NONE = -1;

    private final int[] next;
    private final int[] before;
    private final byte[] queue;
    private final int[] head;
    private final int[] tail;
    private final int[] size;

    Queues(int slots, int queues) {
        next = new int[slots];
        before = new int[slots];
        queue = new byte[slots];
        Arrays.fill(queue, (byte) NONE);
        head = new int[queues];
        tail = new int[queues];
        size = new int[queues];
        Arrays.fill(head, NONE);
        Arrays.fill(tail, NONE);
    }

    /** Puts {@code slot}, which is in no queue, at the end of one. */
    void append(int of, int slot) {
        next[slot] = NONE;
        before[slot] = tail[of];
        if (tail[of] == NONE) {
            head[of] = slot;
        } else {
            next[tail[of]] = slot;
        }
        tail[of] = slot;
        queue[slot] = (byte) of;
        size[of]++;
    }

    /** Takes {@code slot} out of its queue, if it is in one: which, or {@link #NONE}. */
    int remove(int slot) {
        int of = queue[slot];
        if (of == NONE) {
            return NONE;
        }
        if (before[slot] == NONE) {
            head[of] = next[slot];
        } else {
            next[before[slot]] = next[slot];
        }
        if (next[slot] == NONE) {
            tail[of] = before[slot];
        } else {
            before[next[slot]] = before[slot];
        }
        queue[slot] = NONE;
        size[of]--;
        return of;
    }

    void move(int slot, int to) {
        remove(slot);
        append(to, slot);
    }

    /** The slot that came first, or {@link #NONE}. */
    int head(int of) {
        return head[of];
    }

    /** The slot that came last, or {@link #NONE}. */
    int tail(int of) {
        return tail[of];
    }

    int size(int of) {
        return size[of];
    }
}
