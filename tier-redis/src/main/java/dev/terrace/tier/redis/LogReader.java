package dev.terrace.tier.redis;

import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import dev.terrace.spi.NoticeFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the log, on one thread over one connection, from where it stopped. Every entry must follow the one before, in the same
 * log; whatever else happens is a gap, and so is a log that is first reached after the start. When nothing comes for {@value #BLOCK_MILLIS} ms it asks for the head, which shows a
 * dead connection, a log that was lost, and entries that went by unseen because stream ids went back with a server's clock.
 */
final class LogReader implements AutoCloseable {
    static final int BLOCK_MILLIS = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);
    private static final int MOST_ENTRIES = 256;
    private static final long START_MILLIS = 2_000;

    private final String name;
    private final LogServers servers;
    private final LogMetrics metrics;
    private final long node;
    private final BackplaneListener listener;
    private final Reconnecting<LogConnection> connections;
    private final List<Notice> collected = new ArrayList<>();
    private final CountDownLatch tried = new CountDownLatch(1);
    private volatile @Nullable String identity;
    private volatile long position;
    private String lastEntry = "0-0";
    private long collectedFrom;
    private volatile @Nullable String bookmark;

    /** Own notices are heard up to here: an earlier process of this node sent them. */
    private long replayUntil = Long.MIN_VALUE;

    private boolean resumed;
    private volatile boolean started;

    LogReader(String name, LogServers servers, LogMetrics metrics, long node, BackplaneListener listener) {
        this.name = name;
        this.servers = servers;
        this.metrics = metrics;
        this.node = node;
        this.listener = listener;
        this.connections = new Reconnecting<>(
                name, "", new Reading(), why -> LOG.warn("the log cannot be read name={} reason={}", name, why));
    }

    /** Waits for the first attempt, briefly: whatever is held from before the log is first read may be older than what the log has said by then. */
    void start() {
        boolean fromNow = identity == null;
        connections.start();
        try {
            if (fromNow && !tried.await(START_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("the log is not reached yet name={}", name);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            started = true;
        }
    }

    /** Goes on from what {@link #bookmark} once said. Before the start. */
    void resumeFrom(String place) {
        String[] parts = place.split(" ", -1);
        boolean known = parts.length == 3 && parts[1].matches("\\d{1,18}") && parts[2].matches("\\d+-\\d+");
        // What is no bookmark is no place in any log, which is a gap as soon as there is one.
        identity = known ? parts[0] : "?";
        position = known ? Long.parseLong(parts[1]) : 0;
        lastEntry = known ? parts[2] : "0-0";
        collectedFrom = position;
        bookmark = place;
        resumed = true;
    }

    /** Where to go on from; all before it was heard. Null before anything is known. */
    @Nullable
    String bookmark() {
        return bookmark;
    }

    private void noteBookmark() {
        bookmark = identity + " " + position + " " + lastEntry;
    }

    /** The log that was heard last; null before the first. */
    @Nullable
    String identity() {
        return identity;
    }

    /** How far it was heard. */
    long position() {
        return position;
    }

    /** Why nothing is heard; empty while all is well. */
    String trouble() {
        return connections.trouble();
    }

    /** Ends the connection; the next one finds the server that holds the log now. */
    void reconnect() {
        connections.reconnect();
    }

    /** What each connection is for. */
    private final class Reading implements Reconnecting.Session<LogConnection> {
        private boolean first = true;

        @Override
        public LogConnection open() throws IOException {
            boolean opened = false;
            try {
                LogConnection connection = servers.open(name);
                opened = true;
                return connection;
            } finally {
                if (!opened) {
                    tried.countDown();
                }
            }
        }

        @Override
        public void begin(LogConnection connection) throws IOException {
            try {
                catchUp(connection);
            } finally {
                tried.countDown();
            }
            if (!first) {
                metrics.reconnects.inc();
            }
            first = false;
        }

        @Override
        public void use(LogConnection connection) throws IOException {
            read(connection);
        }
    }

    private void read(LogConnection connection) throws IOException {
        while (!connections.isClosed()) {
            List<LogEntry> entries = connection.read(lastEntry, MOST_ENTRIES, BLOCK_MILLIS);
            if (entries.isEmpty()) {
                catchUp(connection);
            } else {
                take(entries);
            }
        }
    }

    /** Compares what was heard with where the log stands. */
    private void catchUp(LogConnection connection) throws IOException {
        LogHead head = connection.head();
        if (identity == null) {
            if (started) {
                gap("late", "the log is read from " + head.position() + " on, and not from the start");
            }
            adopt(head);
            return;
        }
        if (resumed) {
            resumed = false;
            replayUntil = head.position();
        }
        if (head.identity().equals(identity) && head.position() < position) {
            gap("back", "the log went back from " + position + " to " + head.position());
            adopt(head);
            return;
        }
        while (!connections.isClosed() && !(head.identity().equals(identity) && head.position() <= position)) {
            List<LogEntry> entries = connection.read(lastEntry, MOST_ENTRIES, 0);
            if (entries.isEmpty()) {
                gap("lost", "the log's entries up to " + head.position() + " are gone");
                adopt(head);
                return;
            }
            take(entries);
        }
    }

    private void adopt(LogHead head) {
        identity = head.identity();
        position = head.position();
        lastEntry = head.newest();
        noteBookmark();
    }

    private void take(List<LogEntry> entries) {
        for (LogEntry entry : entries) {
            lastEntry = entry.id();
            LogEntry.Frame frame = entry.frame();
            if (frame == null) {
                metrics.skipped.inc();
                LOG.debug("an entry of the log is none of ours and is passed over id={}", entry.id());
            } else {
                take(frame);
            }
        }
        flush();
        noteBookmark();
    }

    private void take(LogEntry.Frame frame) {
        if (!frame.identity().equals(identity)) {
            gap("anew", "the log began anew at " + frame.last());
            identity = frame.identity();
        } else if (frame.last() - frame.count() < position) {
            gap("back", "the log went back from " + position + " to " + frame.last());
        } else if (frame.last() - frame.count() > position) {
            gap("missed", (frame.last() - frame.count() - position) + " notices were trimmed or lost");
        }
        byte[] payload = frame.payload();
        if (frame.count() > 0) {
            NoticeFormat.Read read = payload == null
                    ? NoticeFormat.Read.NOTHING
                    : frame.last() <= replayUntil
                            ? NoticeFormat.read(payload)
                            : NoticeFormat.readOfOthers(payload, node);
            int known = read.notices().size() + read.own();
            if (read.unread() > 0 || known != frame.count()) {
                metrics.skipped.inc(Math.max(1, frame.count() - known));
                gap(
                        "unreadable",
                        "some notices up to " + frame.last() + " cannot be read; a later build may have sent them");
            }
            metrics.heard.inc(read.notices().size());
            collected.addAll(read.notices());
        }
        position = frame.last();
    }

    /** What was collected is delivered before the gap. */
    private void gap(String cause, String why) {
        flush();
        metrics.gap(cause);
        LOG.info("notices may have been missed name={} reason={}", name, why);
        try {
            listener.gap(why);
        } catch (RuntimeException e) {
            LOG.error("a listener failed on a gap name={}", name, e);
        }
    }

    private void flush() {
        if (collected.isEmpty() && collectedFrom == position) {
            return;
        }
        List<Notice> notices = List.copyOf(collected);
        collected.clear();
        collectedFrom = position;
        try {
            listener.heard(notices, position);
        } catch (RuntimeException e) {
            LOG.error("a listener failed on notices name={}", name, e);
        }
    }

    @Override
    public void close() {
        connections.close();
        try {
            connections.awaitEnd(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
