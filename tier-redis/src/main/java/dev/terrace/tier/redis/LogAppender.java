package dev.terrace.tier.redis;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Notice;
import dev.terrace.spi.NoticeFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends to the log, one batch at a time: what waits when an append returns goes together in the next one. What somebody waits
 * for does not wait for company; the rest does while the last append is less than a millisecond old, so that a writer alone does
 * not have an append for each of its writes. Appends again after a lost connection, because notices may be heard twice, until their deadline. While the
 * server is known to be away, answers at once. Thread-safe.
 */
final class LogAppender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogAppender.class);

    /** Bounds one entry, so that keeping so many entries bounds the log. A longer notice goes alone. */
    private static final int MOST_BATCH_BYTES = 16 * 1024;

    private static final int MOST_QUEUED_BYTES = 16 * 1024 * 1024;
    private static final int MOST_QUEUED = 100_000;
    private static final long SPACING_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CHECK_MILLIS = 2_000;
    private static final long SHORTEST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;

    private final LogServers servers;
    private final LogMetrics metrics;
    private final String name;
    private final long timeoutMillis;
    private final Supplier<@Nullable String> heardIdentity;
    private final Consumer<LogHead> appended;
    private final Deadlines deadlines;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Waiting> queue = new ArrayDeque<>();
    private final Thread thread;
    private int queuedBytes;
    private int queuedNotices;
    private int queuedUrgent;
    private long appendedAt;
    private boolean spacing;
    private boolean closing;
    private volatile boolean closed;
    private volatile boolean away;
    private volatile String trouble = "";
    private volatile @Nullable LogConnection current;

    /**
     * @param notices in their format, without the format byte
     * @param heardIdentity the log whose positions a beat among them speaks of; null when there is no beat, or nothing heard
     * @param urgent whether somebody waits for them
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Waiting(
            byte[] notices,
            int count,
            @Nullable String heardIdentity,
            boolean urgent,
            CompletableFuture<Long> position) {}

    /**
     * @param heardIdentity the log that the reader reads; null when it has not begun
     * @param appended gets to know of every append; must be quick
     */
    LogAppender(
            String name,
            LogServers servers,
            long timeoutMillis,
            LogMetrics metrics,
            Supplier<@Nullable String> heardIdentity,
            Consumer<LogHead> appended) {
        this.name = name;
        this.servers = servers;
        this.metrics = metrics;
        this.timeoutMillis = timeoutMillis;
        this.heardIdentity = heardIdentity;
        this.appended = appended;
        this.deadlines = new Deadlines(name + "-deadlines", timeoutMillis);
        this.appendedAt = System.nanoTime() - SPACING_NANOS;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Why nothing can be appended; empty while all is well. */
    String trouble() {
        return trouble;
    }

    CompletionStage<Long> publish(List<Notice> notices) {
        return publish(notices, true);
    }

    /** For what nobody waits for. */
    CompletionStage<Long> publishSoon(List<Notice> notices) {
        return publish(notices, false);
    }

    private CompletionStage<Long> publish(List<Notice> notices, boolean urgent) {
        List<CompletableFuture<Long>> parts = new ArrayList<>(1);
        int from = 0;
        while (from < notices.size()) {
            int bytes = 0;
            int to = from;
            while (to < notices.size()) {
                int next = NoticeFormat.lengthOf(notices.get(to));
                if (to > from && bytes + next > MOST_BATCH_BYTES) {
                    break;
                }
                bytes += next;
                to++;
            }
            parts.add(enqueue(notices.subList(from, to), urgent));
            from = to;
        }
        if (parts.size() == 1) {
            return parts.get(0);
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).thenApply(all -> lastOf(parts));
    }

    private static Long lastOf(List<CompletableFuture<Long>> parts) {
        long last = Backplane.NOT_KNOWN;
        for (CompletableFuture<Long> part : parts) {
            last = part.join();
            if (last == Backplane.NOT_KNOWN) {
                break;
            }
        }
        return last;
    }

    private CompletableFuture<Long> enqueue(List<Notice> notices, boolean urgent) {
        byte[] bytes;
        try {
            bytes = NoticeFormat.write(notices);
        } catch (IllegalArgumentException e) {
            LOG.warn("a notice cannot be written and is not published reason={}", e.getMessage());
            return refused(notices.size());
        }
        if (away) {
            return refused(notices.size());
        }
        boolean beats = notices.stream().anyMatch(Notice.Beat.class::isInstance);
        Waiting waiting = new Waiting(
                bytes, notices.size(), beats ? heardIdentity.get() : null, urgent, new CompletableFuture<>());
        lock.lock();
        try {
            if (closing || queuedNotices + waiting.count() > MOST_QUEUED || queuedBytes > MOST_QUEUED_BYTES) {
                metrics.overflow.inc(closing ? 0 : notices.size());
                return refused(notices.size());
            }
            push(waiting, false);
            if (!spacing || isWorthAnAppend()) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        return deadlines.watch(waiting.position(), () -> {
            metrics.notKnown.inc(waiting.count());
            return Backplane.NOT_KNOWN;
        });
    }

    private CompletableFuture<Long> refused(int notices) {
        metrics.notKnown.inc(notices);
        return CompletableFuture.completedFuture(Backplane.NOT_KNOWN);
    }

    private void push(Waiting waiting, boolean front) {
        if (front) {
            queue.addFirst(waiting);
        } else {
            queue.addLast(waiting);
        }
        queuedBytes += waiting.notices().length;
        queuedNotices += waiting.count();
        queuedUrgent += waiting.urgent() ? 1 : 0;
    }

    /** Whether what is queued is not to wait for more. */
    private boolean isWorthAnAppend() {
        return queuedUrgent > 0 || queuedBytes >= MOST_BATCH_BYTES || closing;
    }

    private void run() {
        long pause = 0;
        while (!done()) {
            try (LogConnection connection = servers.open(name)) {
                current = connection;
                if (closed) {
                    break;
                }
                LogHead head = connection.head();
                away = false;
                trouble = "";
                pause = serve(connection, head.identity()) ? 0 : longer(pause);
            } catch (IOException | RuntimeException e) {
                away = true;
                report(e);
                fail(takeAll());
                pause = longer(pause);
            }
            rest(pause);
        }
        fail(takeAll());
    }

    private static long longer(long pause) {
        return Math.min(LONGEST_PAUSE_MILLIS, Math.max(SHORTEST_PAUSE_MILLIS, pause * 2));
    }

    private void report(Exception e) {
        String why = Failures.describe(e);
        if (!why.equals(trouble) && !closed) {
            trouble = why;
            LOG.warn("nothing can be appended to the log name={} reason={}", name, why);
        }
    }

    /** Appends until the connection is of no use; returns whether anything went well on it. */
    private boolean serve(LogConnection connection, String begun) {
        String identity = begun;
        boolean good = false;
        while (!done()) {
            List<Waiting> batch = take();
            try {
                if (batch.isEmpty()) {
                    identity = connection.head().identity();
                    continue;
                }
                if (speakOfAnother(batch, identity)) {
                    // The reader may know better, and this connection may be dead.
                    identity = connection.head().identity();
                }
                batch = withoutStaleBeats(batch, identity);
                if (batch.isEmpty()) {
                    continue;
                }
                Long last = connection.append(identity, count(batch), payload(batch));
                if (last == null) {
                    identity = connection.head().identity();
                    putBack(batch);
                    continue;
                }
                good = true;
                trouble = "";
                complete(batch, last);
                appended.accept(new LogHead(identity, last, ""));
            } catch (RespException e) {
                report(e);
                if (e.is("OOM") || e.is("WRONGTYPE") || e.is("MISCONF") || e.is("BUSY")) {
                    fail(batch);
                } else {
                    putBack(batch);
                    return good;
                }
            } catch (IOException e) {
                report(e);
                putBack(batch);
                return good;
            }
        }
        return good;
    }

    private static boolean speakOfAnother(List<Waiting> batch, String identity) {
        return batch.stream()
                .anyMatch(waiting -> !identity.equals(waiting.heardIdentity()) && waiting.heardIdentity() != null);
    }

    /** A beat that speaks of positions of another log must not be heard in this one. */
    private List<Waiting> withoutStaleBeats(List<Waiting> batch, String identity) {
        List<Waiting> good = new ArrayList<>(batch.size());
        for (Waiting waiting : batch) {
            String spokenOf = waiting.heardIdentity();
            if (spokenOf == null || spokenOf.equals(identity)) {
                good.add(waiting);
            } else {
                fail(List.of(waiting));
            }
        }
        return good;
    }

    private static int count(List<Waiting> batch) {
        return batch.stream().mapToInt(Waiting::count).sum();
    }

    private static byte[] payload(List<Waiting> batch) {
        if (batch.size() == 1) {
            return batch.get(0).notices();
        }
        ByteArrayOutputStream payload = new ByteArrayOutputStream(MOST_BATCH_BYTES);
        payload.write(NoticeFormat.FORMAT);
        batch.forEach(waiting -> payload.write(waiting.notices(), 1, waiting.notices().length - 1));
        return payload.toByteArray();
    }

    private void complete(List<Waiting> batch, long last) {
        int count = count(batch);
        metrics.published.inc(count);
        metrics.batches.inc();
        long position = last - count;
        for (Waiting waiting : batch) {
            position += waiting.count();
            waiting.position().complete(position);
        }
    }

    private void fail(List<Waiting> batch) {
        for (Waiting waiting : batch) {
            if (waiting.position().complete(Backplane.NOT_KNOWN)) {
                metrics.notKnown.inc(waiting.count());
            }
        }
    }

    /** The next batch; empty after a while without anything to append. */
    private List<Waiting> take() {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(CHECK_MILLIS);
            while (queue.isEmpty() && left > 0 && !closing) {
                left = changed.awaitNanos(left);
            }
            left = appendedAt + SPACING_NANOS - System.nanoTime();
            spacing = true;
            while (!queue.isEmpty() && left > 0 && !isWorthAnAppend()) {
                left = changed.awaitNanos(left);
            }
            appendedAt = System.nanoTime();
            return takeUpTo(MOST_BATCH_BYTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        } finally {
            spacing = false;
            lock.unlock();
        }
    }

    private List<Waiting> takeAll() {
        lock.lock();
        try {
            return takeUpTo(Integer.MAX_VALUE);
        } finally {
            lock.unlock();
        }
    }

    private List<Waiting> takeUpTo(int mostBytes) {
        List<Waiting> batch = new ArrayList<>();
        long bytes = 0;
        for (Waiting next = queue.peekFirst(); next != null; next = queue.peekFirst()) {
            boolean late = next.position().isDone();
            if (!late && !batch.isEmpty() && bytes + next.notices().length > mostBytes) {
                break;
            }
            queue.pollFirst();
            queuedBytes -= next.notices().length;
            queuedNotices -= next.count();
            queuedUrgent -= next.urgent() ? 1 : 0;
            if (!late) {
                batch.add(next);
                bytes += next.notices().length;
            }
        }
        return batch;
    }

    private void putBack(List<Waiting> batch) {
        lock.lock();
        try {
            for (int i = batch.size() - 1; i >= 0; i--) {
                push(batch.get(i), true);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean done() {
        lock.lock();
        try {
            return closed || closing && queue.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void rest(long millis) {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (left > 0 && !closing) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        } finally {
            lock.unlock();
        }
    }

    /** Hands over what is queued if that takes no longer than the deadline. */
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(timeoutMillis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        closed = true;
        LogConnection connection = current;
        if (connection != null) {
            connection.close();
        }
        deadlines.close();
    }
}
