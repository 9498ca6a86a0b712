package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a folder of L3 must hold, as simply as it can be said: a list of what was written, the last of each key counts. For one thread.
 */
final class History {
    static final String MARKERS = "terrace.markers";
    static final String TAGS = "terrace.tags";

    /**
     * Something that was written.
     *
     * @param atMillis when it was committed
     */
    record Event(long atMillis, Entry entry) {}

    /**
     * How much of a history may be there, at least and at most, and up to which moment.
     *
     * @param throughMillis nothing that was committed later
     */
    record Part(List<Event> events, int least, int most, long throughMillis) {
        /** What each key has, of the first so many events. */
        Map<CacheKey, Event> state(int count) {
            Map<CacheKey, Event> state = new HashMap<>();
            for (Event event : events.subList(0, count)) {
                if (event.atMillis <= throughMillis) {
                    state.put(event.entry.key(), event);
                }
            }
            return state;
        }
    }

    private final List<Event> events;

    History() {
        this(List.of());
    }

    private History(List<Event> events) {
        this.events = new ArrayList<>(events);
    }

    void add(long atMillis, Entry entry) {
        events.add(new Event(atMillis, entry));
    }

    int size() {
        return events.size();
    }

    /** A copy that goes its own way. */
    History prefix(int count) {
        return new History(events.subList(0, count));
    }

    Part part(int least) {
        return new Part(List.copyOf(events), least, events.size(), Long.MAX_VALUE);
    }

    /** Several histories become one: of each key the highest version counts, expired or not. */
    static Map<CacheKey, Event> merged(List<Map<CacheKey, Event>> states) {
        Map<CacheKey, Event> all = new HashMap<>();
        for (Map<CacheKey, Event> state : states) {
            state.forEach((key, event) -> all.merge(
                    key,
                    event,
                    (one, other) ->
                            other.entry().version().isNewerThan(one.entry().version()) ? other : one));
        }
        return all;
    }

    /** What is read of a tier: entries by key, what it does not have left out. */
    interface Found {
        @Nullable
        Entry get(CacheKey key);
    }

    /** How it is compared: what is read at a moment, and how long a folder keeps what nothing else keeps. */
    record Judge(long nowMillis, long retentionMillis) {
        /** The first thing that is not as it must be, or null. */
        @Nullable
        String differs(Map<CacheKey, Event> expected, Found found, Set<CacheKey> universe) {
            Set<CacheKey> keys = new HashSet<>(universe);
            keys.addAll(expected.keySet());
            for (CacheKey key : keys) {
                Event event = expected.get(key);
                Entry there = found.get(key);
                Entry wanted = event == null || event.entry().isExpired(nowMillis) ? null : event.entry();
                if (event != null && !isCertain(event)) {
                    continue; // Its time is over; what is left of it may go at any moment.
                }
                if (hides(wanted, expected) ? !same(wanted, there) : !sameValue(wanted, expected, there, found)) {
                    return key + ": expected " + wanted + ", found " + there + ", committed at "
                            + (event == null ? "-" : event.atMillis());
                }
            }
            return null;
        }

        /** Whether it must be there as it is, because of what it hides; a tombstone in a cleared cache hides nothing any more. */
        private static boolean hides(@Nullable Entry wanted, Map<CacheKey, Event> expected) {
            return wanted != null
                    && (wanted.key().cache().startsWith("terrace.")
                            || !wanted.isValue() && !isHidden(wanted, key -> entry(expected, key)));
        }

        private boolean isCertain(Event event) {
            boolean kept = event.entry().kind() == EntryKind.TOMBSTONE
                    || event.entry().key().cache().startsWith("terrace.");
            return nowMillis < event.atMillis() + retentionMillis
                    || kept && event.entry().staleUntilMillis() - retentionMillis > event.atMillis();
        }

        /** What a marker hides may be gone or there. */
        private static boolean sameValue(
                @Nullable Entry wanted, Map<CacheKey, Event> expected, @Nullable Entry there, Found found) {
            Entry visible = wanted == null || isHidden(wanted, key -> entry(expected, key)) ? null : wanted;
            Entry seen = there == null || !there.isValue() || isHidden(there, found) ? null : there;
            return same(visible, seen);
        }

        private static @Nullable Entry entry(Map<CacheKey, Event> state, CacheKey key) {
            Event event = state.get(key);
            return event == null ? null : event.entry();
        }

        private static boolean isHidden(Entry value, Found markers) {
            List<CacheKey> by = new ArrayList<>();
            by.add(CacheKey.of(MARKERS, value.key().cache()));
            value.tags().forEach(tag -> by.add(CacheKey.of(TAGS, tag)));
            for (CacheKey key : by) {
                Entry marker = markers.get(key);
                if (marker != null && !value.version().isNewerThan(marker.version())) {
                    return true;
                }
            }
            return false;
        }

        private static boolean same(@Nullable Entry one, @Nullable Entry other) {
            return one == null ? other == null : one.equals(other);
        }
    }
}
