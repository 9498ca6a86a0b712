package dev.terrace.core;

import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;

/** What one thread needs to read L1 without allocating. A codec may call the cache again: that call gets another one. */
final class Scratch {
    /** A power of two. */
    static final int SAMPLED_ONE_IN = 128;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    final KeyBuffer key = new KeyBuffer();
    final EnvelopeView view = new EnvelopeView();
    private int reads;
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
    }

    /** True once in {@value #SAMPLED_ONE_IN} reads: timing or counting every one would cost more than the read. */
    boolean isSampled() {
        return (reads++ & SAMPLED_ONE_IN - 1) == 0;
    }
}
