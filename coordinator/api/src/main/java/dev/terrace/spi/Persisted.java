package dev.terrace.spi;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A local tier whose entries outlive the process. What an earlier process left is <em>unconfirmed</em>: while it slept, others may have
 * replaced it. Until {@link #confirm} the tier answers it as stale only, or not at all where it may not be answered stale; tombstones hide
 * what is older as ever. Thread-safe; nothing here waits for a disk, except that {@link #keepMarker} writes a line to a file,
 * and the first {@link #keepPlaces} may have the disk take it.
 */
public interface Persisted {
    /** What was found when the tier was opened. */
    Inheritance inherited();

    /** Nothing was missed: what was found is as good as what this process stored. */
    void confirm();

    /**
     * Up to these places of the channels everything was heard and done; the next process goes on from here.
     *
     * @param places bookmarks by the name of the channel; null when something may have been missed that is not done yet, so that a
     *     process that begins now could not know what to believe
     */
    void keepPlaces(@Nullable Map<String, String> places);

    /** A cache, a namespace or a tag was invalidated, here or elsewhere; the next process is told. */
    void keepMarker(Notice.Marker marker);

    /**
     * What an earlier process left.
     *
     * @param entries how many
     * @param places up to where it had heard the channels; null when that is not known
     * @param markers what it knew to be invalidated
     * @param newest at least as new as every entry; what is written from now on must be newer, even if the clock went back
     */
    record Inheritance(
            long entries, @Nullable Map<String, String> places, List<Notice.Marker> markers, Version newest) {
        /** Nothing was found. */
        public static final Inheritance NOTHING = new Inheritance(0, Map.of(), List.of(), Version.ZERO);

        /** Copies what it is given. */
        public Inheritance {
            places = places == null ? null : Map.copyOf(places);
            markers = List.copyOf(markers);
        }
    }
}
