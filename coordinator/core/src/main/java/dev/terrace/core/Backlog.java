package dev.terrace.core;

import dev.terrace.spi.Notice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Notices that are still to be sent: the newest of each key or cache, oldest first, bounded. Not thread-safe. */
final class Backlog {
    private static final int MOST = 65_536;
    private static final int AT_ONCE = 1_000;

    private final Map<Object, Notice> notices = new LinkedHashMap<>();

    /**
     * Adds one.
     *
     * @return false when there is no room
     */
    boolean add(Notice notice) {
        Object subject = subject(notice);
        if (notices.size() >= MOST && !notices.containsKey(subject)) {
            return false;
        }
        notices.merge(subject, notice, Backlog::newer);
        return true;
    }

    /** The next to send; they stay until {@link #sent}. */
    List<Notice> next() {
        return notices.values().stream().limit(AT_ONCE).toList();
    }

    /** These were; what has become newer meanwhile stays. */
    void sent(List<Notice> batch) {
        batch.forEach(notice -> notices.remove(subject(notice), notice));
    }

    int size() {
        return notices.size();
    }

    boolean isEmpty() {
        return notices.isEmpty();
    }

    private static Object subject(Notice notice) {
        if (notice instanceof Notice.Changed changed) {
            return changed.key();
        }
        return notice instanceof Notice.Marker marker
                ? List.of(marker.cache(), marker.tag() == null ? "" : marker.tag())
                : notice;
    }

    private static Notice newer(Notice one, Notice other) {
        if (one instanceof Notice.Changed a && other instanceof Notice.Changed b) {
            return b.version().isNewerThan(a.version()) ? b : a;
        }
        if (one instanceof Notice.Marker a && other instanceof Notice.Marker b) {
            return b.version().isNewerThan(a.version()) ? b : a;
        }
        return other;
    }
}
