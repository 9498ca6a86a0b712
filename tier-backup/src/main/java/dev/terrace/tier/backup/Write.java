package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A write that waits for the writer. It is sealed once, by whichever thread comes to it first, so that sealing goes on while others
 * are decided and written. Thread-safe.
 */
final class Write {
    /** A seal takes microseconds; whoever takes this long has died. */
    private static final long LONGEST_SEAL_SECONDS = 60;

    private final Entry entry;
    private final WriteCondition condition;
    private final int bytes;
    private final byte[] hash;
    private final CompletableFuture<StoreOutcome> outcome = new CompletableFuture<>();
    private final FutureTask<byte[]> sealing;

    /**
     * @param entry what to store
     * @param condition when
     * @param bytes length of its envelope
     * @param hash of its key
     */
    Write(Entry entry, WriteCondition condition, int bytes, byte[] hash, Records records) {
        this.entry = entry;
        this.condition = condition;
        this.bytes = bytes;
        this.hash = hash.clone();
        this.sealing = new FutureTask<>(() -> records.seal(this.hash, entry));
    }

    Entry entry() {
        return entry;
    }

    WriteCondition condition() {
        return condition;
    }

    int bytes() {
        return bytes;
    }

    /** Callers must not write to it. */
    byte[] hash() {
        return hash;
    }

    /** Completed by the writer, or by the deadline. */
    CompletableFuture<StoreOutcome> outcome() {
        return outcome;
    }

    /** Seals it, unless somebody did or does. */
    void seal() {
        sealing.run();
    }

    /** It will not be written. */
    void skip() {
        sealing.cancel(false);
    }

    /**
     * The sealed record, made here if nobody has begun.
     *
     * @throws RuntimeException what sealing threw
     */
    PartitionedStore.Stored sealed() throws InterruptedException {
        sealing.run();
        try {
            return new PartitionedStore.Stored(hash, sealing.get(LONGEST_SEAL_SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException why) {
                throw why;
            }
            throw new IllegalStateException("sealing failed", e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("sealing takes more than " + LONGEST_SEAL_SECONDS + " s", e);
        }
    }
}
