package dev.terrace.tier.redis;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one connection on a thread of its own, and opens another when it is lost, after a pause that grows while none can be had.
 * Thread-safe.
 */
final class Reconnecting<C extends AutoCloseable> implements AutoCloseable {
    private static final long SHORTEST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;

    private final Session<C> session;
    private final Consumer<String> report;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile @Nullable C current;
    private volatile String trouble;

    /** What a connection is for; on the thread. Whatever is thrown ends the connection. */
    interface Session<C> {
        C open() throws IOException;

        /** What must be done before all is well. */
        void begin(C connection) throws IOException;

        /** Uses it until it is lost, or {@link Reconnecting#isClosed}. */
        void use(C connection) throws IOException;

        /** Why a connection was lost or could not be had, for people. */
        default String describe(Exception why) {
            return Failures.describe(why);
        }
    }

    /**
     * Does not start the thread.
     *
     * @param trouble what to say before the first attempt has ended
     * @param report told why there is no connection, once for each reason
     */
    Reconnecting(String name, String trouble, Session<C> session, Consumer<String> report) {
        this.session = session;
        this.report = report;
        this.trouble = trouble;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Why there is no connection; empty while all is well. */
    String trouble() {
        return trouble;
    }

    boolean isClosed() {
        return closing.getCount() == 0;
    }

    /** Ends the connection; another is opened. */
    void reconnect() {
        C connection = current;
        if (connection != null) {
            try {
                connection.close();
            } catch (Exception e) {
                note(e);
            }
        }
    }

    private void run() {
        long pause = SHORTEST_PAUSE_MILLIS;
        while (!isClosed()) {
            try (C connection = session.open()) {
                current = connection;
                if (isClosed()) {
                    return;
                }
                session.begin(connection);
                pause = SHORTEST_PAUSE_MILLIS;
                trouble = "";
                session.use(connection);
            } catch (Exception e) {
                note(e);
            }
            try {
                if (closing.await(pause, TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
            pause = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
        }
    }

    private void note(Exception e) {
        String why = session.describe(e);
        if (!why.equals(trouble) && !isClosed()) {
            trouble = why;
            report.accept(why);
        }
    }

    /** Ends the connection and begins no other. Does not wait for the thread. */
    @Override
    public void close() {
        closing.countDown();
        reconnect();
    }

    /** Waits for the end of the thread after {@link #close}. */
    void awaitEnd(long millis) throws InterruptedException {
        thread.join(millis);
    }
}
