package dev.terrace.core;

import dev.terrace.spi.Version;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of the tags of one cache that were invalidated. Nothing written after {@link #newest} is hidden by any tag,
 * so most entries need no look at their tags. For older ones the markers of their tags must be known; they are asked for once and
 * remembered until something may have been missed. Thread-safe.
 */
final class TagMarkers {
    /** Tags remembered; beyond that all are forgotten and asked for again. */
    static final int MOST_KNOWN = 50_000;

    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile Version newest = Version.ZERO;
    private volatile long epoch;

    /** No tag was invalidated after this and forgotten. */
    private Version forgotten = Version.ZERO;

    /** What the marker of a tag was, and when that was found out. */
    private record Known(@Nullable Version marker, long epoch) {}

    /** Whether an entry may be used. */
    enum Verdict {
        VISIBLE,
        HIDDEN,
        /** Some of its tags' markers must be asked for. */
        UNKNOWN
    }

    /** No tag of this cache was invalidated after this, as far as is known. */
    Version newest() {
        return newest;
    }

    /** False when no tag can hide that version. */
    boolean mayHide(long versionClock, long versionNode) {
        Version marker = newest;
        int order = Long.compareUnsigned(versionClock, marker.clock());
        return order < 0 || order == 0 && Long.compareUnsigned(versionNode, marker.node()) <= 0;
    }

    Verdict judge(Version version, List<String> tags) {
        if (tags.isEmpty() || version.isNewerThan(newest)) {
            return Verdict.VISIBLE;
        }
        long now = epoch;
        boolean unknown = false;
        for (String tag : tags) {
            Known marker = known.get(tag);
            if (marker != null && marker.marker() != null && !version.isNewerThan(marker.marker())) {
                return Verdict.HIDDEN;
            }
            unknown |= marker == null || marker.epoch() != now;
        }
        return unknown ? Verdict.UNKNOWN : Verdict.VISIBLE;
    }

    /** Markers found out now count for this moment. */
    long moment() {
        return epoch;
    }

    /** The marker of {@code tag} was asked for at {@code moment}; null when there was none. */
    synchronized void told(String tag, @Nullable Version marker, long moment) {
        makeRoom();
        known.merge(tag, new Known(marker, moment), TagMarkers::newer);
    }

    /** There is nobody to ask for the marker of {@code tag}: it may be any that was forgotten. */
    synchronized void toldByNobody(String tag, long moment) {
        makeRoom();
        known.merge(tag, new Known(forgotten, moment), TagMarkers::newer);
    }

    private static Known newer(Known one, Known other) {
        Version marker =
                other.marker() != null && other.marker().isNewerThan(one.marker()) ? other.marker() : one.marker();
        return new Known(marker, Math.max(one.epoch(), other.epoch()));
    }

    /** {@code tag} was invalidated. */
    synchronized void raise(String tag, Version marker) {
        makeRoom();
        known.merge(tag, new Known(marker, epoch), TagMarkers::newer);
        if (marker.isNewerThan(newest)) {
            newest = marker;
        }
    }

    private void makeRoom() {
        if (known.size() >= MOST_KNOWN) {
            forgotten = newest;
            known.clear();
        }
    }

    /**
     * Some tag was invalidated at {@code version}; when that is news, this node has not heard which.
     *
     * @return true when it is news
     */
    synchronized boolean learned(Version version) {
        if (!version.isNewerThan(newest)) {
            return false;
        }
        newest = version;
        epoch++;
        return true;
    }

    /** Something may have been missed. */
    synchronized void doubt() {
        epoch++;
    }
}
