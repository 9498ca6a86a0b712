package dev.terrace.tier.backup.repo;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Runs blocking code of several processes in one order that a seed decides: exactly one runs at a time, and at each step it may
 * have to wait while others go on.
 */
final class Interleaving {
    /** What a process does. */
    interface Body {
        void run() throws Exception;
    }

    private final Random random;
    private final double switching;
    private final List<Body> bodies = new ArrayList<>();
    private final List<Semaphore> turns = new ArrayList<>();
    private final List<Integer> alive = new ArrayList<>();
    private int current = -1;
    private boolean quiet;
    private @Nullable Throwable failure;

    /** @param switching how likely another one goes on at a step */
    Interleaving(Random random, double switching) {
        this.random = random;
        this.switching = switching;
    }

    void add(Body body) {
        alive.add(bodies.size());
        bodies.add(body);
        turns.add(new Semaphore(0));
    }

    /** Runs all to their ends. Returns what one of them died of, or null. */
    @Nullable
    Throwable run(ExecutorService threads) throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(bodies.size());
        for (int i = 0; i < bodies.size(); i++) {
            int me = i;
            threads.execute(() -> {
                turns.get(me).acquireUninterruptibly();
                try {
                    if (failure == null) {
                        bodies.get(me).run();
                    }
                } catch (Throwable e) {
                    failure = e;
                } finally {
                    alive.remove((Integer) me);
                    handOver();
                    ended.countDown();
                }
            });
        }
        handOver();
        ended.await();
        return failure;
    }

    private void handOver() {
        if (!alive.isEmpty()) {
            current = alive.get(random.nextInt(alive.size()));
            turns.get(current).release();
        }
    }

    /** The process that runs now. */
    int current() {
        return current;
    }

    /** Runs something that nothing comes between. */
    void undisturbed(Body body) throws Exception {
        quiet = true;
        try {
            body.run();
        } finally {
            quiet = false;
        }
    }

    boolean isQuiet() {
        return quiet;
    }

    /** Others may go on before this returns. */
    void step() {
        if (quiet || failure != null || random.nextDouble() >= switching) {
            return;
        }
        int me = current;
        int next = alive.get(random.nextInt(alive.size()));
        if (next != me) {
            current = next;
            turns.get(next).release();
            turns.get(me).acquireUninterruptibly();
        }
    }
}
