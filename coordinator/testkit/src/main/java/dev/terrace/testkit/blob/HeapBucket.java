package dev.terrace.testkit.blob;

import dev.terrace.spi.BlobStore.Stat;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A bucket on the heap: strict by default, and as weak as a test tells it to be. Each process of a simulation opens a {@link HeapBlobStore} of its
 * own on it. Thread-safe.
 */
public final class HeapBucket {
    private final InstantSource clock;
    private final TreeMap<String, Blob> blobs = new TreeMap<>();
    /** What listings show, and the changes they do not show yet. */
    private final TreeMap<String, Stat> listed = new TreeMap<>();

    private final ArrayDeque<Change> unlisted = new ArrayDeque<>();
    private final List<Long> unfinished = new ArrayList<>();
    private Duration lag = Duration.ZERO;
    private boolean honoursConditions = true;

    /** What is there; nobody changes the bytes. */
    static final class Blob {
        private final byte[] bytes;
        private final long modifiedMillis;

        Blob(byte[] bytes, long modifiedMillis) {
            this.bytes = bytes;
            this.modifiedMillis = modifiedMillis;
        }

        byte[] bytes() {
            return bytes;
        }

        long modifiedMillis() {
            return modifiedMillis;
        }
    }

    private record Change(
            long atMillis, String name, @Nullable Stat now) {}

    /** Empty; its clock is the one that stamps blobs. */
    public HeapBucket(InstantSource clock) {
        this.clock = clock;
    }

    /** Opens it for one process, all of it. */
    public HeapBlobStore open() {
        return new HeapBlobStore(this, "");
    }

    /** Opens it for one process, below a folder. */
    public HeapBlobStore open(String folder) {
        return new HeapBlobStore(this, folder + "/");
    }

    /** From now on a change is seen in listings only after this time; reads by name see it at once. */
    public synchronized void listingsLag(Duration time) {
        lag = time;
    }

    /** From now on a condition is taken and ignored, as some look-alikes do; stores opened afterwards find that out. */
    public synchronized void ignoreConditions() {
        honoursConditions = false;
    }

    synchronized boolean honoursConditions() {
        return honoursConditions;
    }

    /** All names, in order. */
    public synchronized List<String> names() {
        return List.copyOf(blobs.keySet());
    }

    /** How many bytes all blobs have. */
    public synchronized long bytes() {
        return blobs.values().stream().mapToLong(blob -> blob.bytes.length).sum();
    }

    /** Unfinished uploads. */
    public synchronized int unfinished() {
        return unfinished.size();
    }

    /** The blob's bytes, a copy; null when there is none. */
    public synchronized byte @Nullable [] bytes(String name) {
        Blob blob = blobs.get(name);
        return blob == null ? null : blob.bytes.clone();
    }

    /** Puts bytes there as an attacker or a broken disk would: behind everyone's back. */
    public synchronized void plant(String name, byte[] bytes) {
        put(name, bytes.clone(), false);
    }

    /** Loses a blob. */
    public synchronized void lose(String name) {
        remove(name);
    }

    /** Changes one bit, counted from the blob's first. */
    public synchronized void flip(String name, long bit) {
        Blob blob = blobs.get(name);
        if (blob == null) {
            throw new IllegalArgumentException("there is no blob " + name);
        }
        byte[] bytes = blob.bytes.clone();
        bytes[(int) (bit / 8)] ^= (byte) (1 << bit % 8);
        blobs.put(name, new Blob(bytes, blob.modifiedMillis));
    }

    /** All blobs as they are now, to {@link #rollBack} to. */
    public synchronized State state() {
        return new State(new TreeMap<>(blobs));
    }

    /** The bucket as it was, everything since gone. */
    public synchronized void rollBack(State state) {
        blobs.clear();
        blobs.putAll(state.blobs);
        unlisted.clear();
        listed.clear();
        blobs.forEach((name, blob) -> listed.put(name, stat(name, blob)));
    }

    /** A bucket's blobs at one moment. */
    public static final class State {
        private final Map<String, Blob> blobs;

        private State(Map<String, Blob> blobs) {
            this.blobs = blobs;
        }
    }

    private static Stat stat(String name, Blob blob) {
        return new Stat(name, blob.bytes.length, blob.modifiedMillis);
    }

    synchronized @Nullable Blob get(String name) {
        return blobs.get(name);
    }

    /** False when it was there and only an absent one was to be made. */
    synchronized boolean put(String name, byte[] bytes, boolean onlyIfAbsent) {
        if (onlyIfAbsent && honoursConditions && blobs.containsKey(name)) {
            return false;
        }
        Blob blob = new Blob(bytes, clock.millis());
        blobs.put(name, blob);
        unlisted.add(new Change(clock.millis(), name, stat(name, blob)));
        return true;
    }

    /** A folder could not hold both; here it is a bug of the caller's. */
    synchronized void requireNoFolder(String name) {
        String within = name + "/";
        String next = blobs.ceilingKey(within);
        if (next != null && next.startsWith(within)) {
            throw new IllegalArgumentException("blob " + name + " beside " + next);
        }
        for (int slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
            if (blobs.containsKey(name.substring(0, slash))) {
                throw new IllegalArgumentException("blob " + name + " beside " + name.substring(0, slash));
            }
        }
    }

    synchronized void remove(String name) {
        if (blobs.remove(name) != null) {
            unlisted.add(new Change(clock.millis(), name, null));
        }
    }

    synchronized void leaveUnfinished() {
        unfinished.add(clock.millis());
    }

    synchronized int discardUnfinished(long olderThanMillis) {
        int before = unfinished.size();
        unfinished.removeIf(began -> began < olderThanMillis);
        return before - unfinished.size();
    }

    /** What a listing shows from the given name on, without it when {@code inclusive} is false. */
    synchronized NavigableMap<String, Stat> listed(String from, boolean inclusive) {
        long seen = clock.millis() - lag.toMillis();
        while (!unlisted.isEmpty() && unlisted.getFirst().atMillis <= seen) {
            Change change = unlisted.removeFirst();
            if (change.now == null) {
                listed.remove(change.name);
            } else {
                listed.put(change.name, change.now);
            }
        }
        return new TreeMap<>(listed.tailMap(from, inclusive));
    }
}
