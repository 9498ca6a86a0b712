package dev.terrace.tier.redis;

import java.util.concurrent.atomic.LongAdder;

/** Counts round trips and what they carried. Thread-safe. */
final class Traffic {
    private final LongAdder batches = new LongAdder();
    private final LongAdder commands = new LongAdder();

    void sent(int size) {
        batches.increment();
        commands.add(size);
    }

    long batches() {
        return batches.sum();
    }

    long commands() {
        return commands.sum();
    }
}
