package dev.terrace.api;

import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A named key space with one policy. Thread-safe; get one from the coordinator, which owns and closes it.
 *
 * <p>Every method ends within the bounds that the settings give. A tier that fails or is slow is skipped and counted;
 * reads never throw because of it. All methods throw {@link BadInputException} for null, empty or oversize keys and
 * values, {@link ClosedException} once the coordinator is closed, and {@link InterruptedCallException} when the calling
 * thread is interrupted while it waits.
 *
 * @param <K> the keys
 * @param <V> the values
 */
public interface Cache<K, V> {
    /** The name settings and metrics use. */
    String name();

    /** The fresh value of {@code key} in the nearest tier that has one, or null. */
    @Nullable
    V get(K key);

    /**
     * The value of {@code key}; when no tier has a fresh one, the loader's. One load per key runs at a time on this node, and
     * all callers that miss meanwhile share it. A value that the loader read before a concurrent write or invalidation
     * is handed to those who waited, but never kept over what is newer. When the loader fails, a stale value is answered
     * if the cache allows one.
     *
     * @return null when the origin has no value
     * @throws LoaderException when the loader failed or took too long and nothing stale may be served
     */
    @Nullable
    V get(K key, Loader<? super K, ? extends V> loader);

    /**
     * As {@link #get(Object, Loader)}; what is loaded is kept with {@code options}: its tags and its time to live. Of callers that
     * share a load, the options of the first count.
     */
    @Nullable
    V get(K key, Loader<? super K, ? extends V> loader, WriteOptions options);

    /**
     * As {@link #get(Object, Loader)}, by a loader that sees what the cache holds and says how what it brings is kept; asynchronous if
     * you like; with a value for when nothing can be loaded.
     *
     * @throws LoaderException when the loader failed or took too long, nothing stale may be served and {@code loading} has no other value
     */
    @Nullable
    V get(K key, Loading<K, V> loading);

    /** The fresh values of {@code keys}; keys without one are missing in the answer. One round trip per tier and server. */
    Map<K, V> getAll(Collection<? extends K> keys);

    /**
     * As {@link #getAll(Collection)}, and one call of {@code loader} for everything that is missing.
     *
     * @throws BulkLoadException when some keys could not be loaded and have no stale value; it carries everything else
     */
    Map<K, V> getAll(Collection<? extends K> keys, BulkLoader<K, V> loader);

    /**
     * Stores a value in every tier; where the cache has a writer, its policy says whether the origin has it first, or later.
     *
     * @throws ReplicationException when the settings ask for more copies to acknowledge it than did
     * @throws OriginWriteException when writes go through and the origin did not take it
     * @throws UnavailableException when writes are journaled, and the journal has no room or cannot be written; nothing was changed
     */
    WriteReceipt put(K key, V value);

    /**
     * Stores a value in every tier, with {@code options} over what the settings say.
     *
     * @throws ReplicationException when fewer copies acknowledged it than were asked for
     */
    WriteReceipt put(K key, V value, WriteOptions options);

    /** Stores many values, one round trip per tier and server. Not atomic as a whole. */
    Map<K, WriteReceipt> putAll(Map<? extends K, ? extends V> entries);

    /** As {@link #putAll(Map)}, with {@code options} over what the settings say. */
    Map<K, WriteReceipt> putAll(Map<? extends K, ? extends V> entries, WriteOptions options);

    /**
     * Stores a value if no tier has a fresh one. Atomic across nodes.
     *
     * @throws UnavailableException when the remote tier is configured but cannot be reached
     */
    WriteReceipt putIfAbsent(K key, V value);

    /** As {@link #putIfAbsent(Object, Object)}, with {@code options} over what the settings say. */
    WriteReceipt putIfAbsent(K key, V value, WriteOptions options);

    /**
     * Stores a value if the current one has exactly this version. Atomic across nodes.
     *
     * @param expected as told by {@link #read}
     * @throws UnavailableException when the remote tier is configured but cannot be reached
     */
    WriteReceipt replace(K key, Version expected, V value);

    /** As {@link #replace(Object, Version, Object)}, with {@code options} over what the settings say. */
    WriteReceipt replace(K key, Version expected, V value, WriteOptions options);

    /** Drops {@code key} in every tier. A load or fill that began before never brings the old value back. */
    WriteReceipt invalidate(K key);

    /** As {@link #invalidate(Object)}, with {@code options} over what the settings say; of them, time to live and tags mean nothing here. */
    WriteReceipt invalidate(K key, WriteOptions options);

    /**
     * Removes the value of {@code key}, also at the origin where the cache has a writer and its policy is not aside; elsewhere the same
     * as {@link #invalidate(Object)}, which never tells the origin.
     *
     * @throws OriginWriteException when writes go through and the origin did not take it
     */
    WriteReceipt remove(K key);

    /** Drops many keys, one round trip per tier and server. Not atomic as a whole. */
    Map<K, WriteReceipt> invalidate(Collection<? extends K> keys);

    /**
     * Drops everything in this cache that carries one of these tags, in constant time, in every tier and on every node. A load
     * that began before never brings a value with such a tag back.
     *
     * @throws BadInputException for tags that cannot be; see {@link WriteOptions#check}
     */
    WriteReceipt invalidateTags(Collection<String> tags);

    /** Drops everything in this cache, in constant time. */
    WriteReceipt clear();

    /**
     * Adds {@code delta} to the number stored under {@code key} as decimal text, starting from zero. Atomic across nodes.
     *
     * @return the new number
     * @throws CodecException when the stored value is not a number, or the sum does not fit 64 bits
     * @throws UnavailableException when the remote tier is configured but cannot be reached
     */
    long increment(K key, long delta);

    /** The value with its tier, age, freshness and version. Answers stale values too, flagged. Never calls a loader. */
    ReadResult<V> read(K key);

    /**
     * Copies the bytes of the fresh value of {@code key}, as the cache's codec writes them, into {@code into} from its position on, which moves
     * behind them. What L1 holds is copied without allocating anything, up to 64 KiB. Never calls a loader.
     *
     * @return how many bytes; -1, and the buffer is as it was, when no tier has a fresh value
     * @throws BadInputException when less room remains in the buffer, which is as it was; the message says how much it takes
     */
    int read(K key, ByteBuffer into);

    /**
     * As {@link #read(Object)}, and the loader when nothing fresh is there.
     *
     * @throws LoaderException when the loader failed or took too long and nothing stale may be served
     */
    ReadResult<V> read(K key, Loader<? super K, ? extends V> loader);

    /** As {@link #read(Object, Loader)}, in the way of {@link #get(Object, Loading)}. */
    ReadResult<V> read(K key, Loading<K, V> loading);

    /**
     * The value by the word of L2's copies, whatever is kept on this node: with {@link ReplicationMode#QUORUM} over several zones
     * such reads, and writes with that mode, make every key one linearizable register. Below L2 the search goes on as usual.
     *
     * @throws UnavailableException when L2 is not configured, or too few copies answer
     */
    ReadResult<V> read(K key, ReplicationMode by);

    /** What every tier holds under {@code key} and what a read would do about it. Asks all tiers; meant for people. */
    Explanation explain(K key);

    /** The same cache without waiting. */
    AsyncCache<K, V> async();
}
