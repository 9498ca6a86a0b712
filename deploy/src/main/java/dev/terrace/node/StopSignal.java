package dev.terrace.node;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The signal that ends this process (SIGTERM, Ctrl-C), for the one thread that started things and therefore stops them. The
 * process ends when that thread has called {@link #close}, or after a bounded time. Listening begins before anything is
 * started: whatever the signal meets half-way is stopped too.
 *
 * <p>Thread-safe; {@link #listen} belongs to the thread that closes.
 */
public final class StopSignal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StopSignal.class);
    private static final Duration MORE_THAN_ANY_PART_TAKES = Duration.ofSeconds(30);

    private final Thread worker = Thread.currentThread();
    private final CountDownLatch given = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::onSignal, "terrace-shutdown");
    private Runnable reaction = worker::interrupt;
    private boolean reacted;
    private volatile Duration patience = MORE_THAN_ANY_PART_TAKES;

    private StopSignal() {}

    /** Begins to listen. Until {@link #reactBy} says otherwise the signal interrupts the calling thread. */
    public static StopSignal listen() {
        StopSignal signal = new StopSignal();
        Runtime.getRuntime().addShutdownHook(signal.hook);
        Thread.setDefaultUncaughtExceptionHandler(StopSignal::died);
        return signal;
    }

    /** Libraries that are still being started when the process ends cannot add hooks any more, and their threads die of it. */
    private static void died(Thread thread, Throwable error) {
        if (isEnding()) {
            LOG.debug("a thread ended by an error while the process ends thread={}", thread.getName(), error);
        } else {
            LOG.error("a thread ended by an error thread={}", thread.getName(), error);
        }
    }

    private static boolean isEnding() {
        Thread probe = new Thread(() -> {}, "terrace-probe");
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            Runtime.getRuntime().removeShutdownHook(probe);
            return false;
        } catch (IllegalStateException ending) {
            return true;
        }
    }

    private void onSignal() {
        synchronized (this) {
            reacted = true;
            reaction.run();
        }
        given.countDown();
        try {
            done.await(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            // Nobody does that to a shutdown hook; the process ends.
            Thread.currentThread().interrupt();
        }
    }

    /** What the signal does from now on, at once if it was given already; the interrupt that it may have left is cleared. */
    public synchronized void reactBy(Runnable other) {
        reaction = other;
        boolean ignored = Thread.interrupted();
        if (reacted) {
            other.run();
        }
    }

    /** How long closing may take, beside what is added for the parts that have no setting. */
    public void allow(Duration closing) {
        patience = MORE_THAN_ANY_PART_TAKES.plus(closing);
    }

    /** True once it was given. */
    public boolean given() {
        return given.getCount() == 0;
    }

    /** Waits for it. */
    public void await() throws InterruptedException {
        given.await();
    }

    /** Everything is stopped: the process may end. */
    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending, and waits for nothing else.
        }
    }
}
