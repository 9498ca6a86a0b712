package dev.terrace.core;

import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import java.util.concurrent.ThreadLocalRandom;

/** What one thread needs to read L1 without allocating. A codec may call the cache again: that call gets another one. */
final class Scratch {
    /** A power of two. */
    static final int SAMPLED_ONE_IN = 128;

    /** An array that a thread may keep for good. */
    private static final int KEPT_BYTES = 64 << 10;

    /** An array above that is kept for some uses, so that who reads such values often seldom makes one; a larger one is not kept at all. */
    private static final int LARGEST_KEPT_BYTES = 1 << 20;

    /** A power of two. */
    private static final int USES_KEPT = 256;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    final KeyBuffer key = new KeyBuffer();
    EnvelopeView view = new EnvelopeView();

    /** From anywhere: did it begin with 0, each thread's first read would be the one of {@value #SAMPLED_ONE_IN}. */
    private int reads = ThreadLocalRandom.current().nextInt();

    private int uses;
    private boolean taken;

    static Scratch take() {
        Scratch mine = OF_THREAD.get();
        if (mine.taken) {
            mine = new Scratch();
        }
        mine.taken = true;
        return mine;
    }

    void giveBack() {
        taken = false;
        int held = view.array().length;
        if (held > KEPT_BYTES && (held > LARGEST_KEPT_BYTES || (++uses & USES_KEPT - 1) == 0)) {
            view = new EnvelopeView();
        }
    }

    /** True once in {@value #SAMPLED_ONE_IN} reads: timing or counting every one would cost more than the read. */
    boolean isSampled() {
        return (reads++ & SAMPLED_ONE_IN - 1) == 0;
    }
}
