package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import java.io.UncheckedIOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes: decides each write against what is stored, groups them into batches, and between batches
 * does the {@link Chores}. While it decides one batch and writes it, the {@link Sealers} are at that one and the next. A write's
 * stage completes when its batch is with the operating system, so a killed process loses nothing that was acknowledged.
 */
final class Writer implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
    private static final int BATCH_ENTRIES = 256;
    private static final long BATCH_BYTES = 4 << 20;
    private static final String CLOSED = "the backup tier is closed";
    private static final long RECLAIM_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final WriteQueue queue;
    private final Sealers sealers;
    private final Vault vault;
    private final Keeper keeper;
    private final Chores chores;
    private final Reclaimer reclaimer;
    private final StorageHealth health;
    private final Meters meters;
    private final InstantSource clock;

    /** Taken already, and not decided yet. */
    private List<Write> next = List.of();

    private boolean reclaiming;
    private long reclaimAt = System.nanoTime();

    Writer(
            WriteQueue queue,
            Sealers sealers,
            Vault vault,
            Keeper keeper,
            Chores chores,
            Reclaimer reclaimer,
            StorageHealth health,
            Meters meters,
            InstantSource clock) {
        this.queue = queue;
        this.sealers = sealers;
        this.vault = vault;
        this.keeper = keeper;
        this.chores = chores;
        this.reclaimer = reclaimer;
        this.health = health;
        this.meters = meters;
        this.clock = clock;
    }

    @Override
    public void run() {
        try {
            while (!(next.isEmpty() && queue.isDrained())
                    && !Thread.currentThread().isInterrupted()) {
                turn();
            }
        } catch (InterruptedException e) {
            // Closing gave up waiting. Whoever interrupted answers what is left in the queue.
            Thread.currentThread().interrupt();
        } catch (PartitionedStore.ClosedStore e) {
            LOG.error("backup store was closed under its writer", e);
        } finally {
            answer(next, refuseAll(next, Unavailability.CLOSED, CLOSED));
        }
    }

    /** A bug here must not end the thread, nor a moment without memory: writes would wait for nobody. */
    private void turn() throws InterruptedException, PartitionedStore.ClosedStore {
        try {
            chores.log().holdBack();
            if (next.isEmpty()) {
                long wait = chores.nanosUntilDue();
                next = queue.take(BATCH_ENTRIES, BATCH_BYTES, reclaiming ? Math.min(wait, RECLAIM_PAUSE_NANOS) : wait);
                sealers.help(next);
            }
            List<Write> batch = next;
            next = List.of();
            if (!batch.isEmpty()) {
                decideAndWrite(batch);
            }
            if (chores.nanosUntilDue() <= 0) {
                reclaiming = true; // Or at least worth a look.
                chores.run();
            }
            if (reclaiming && System.nanoTime() - reclaimAt >= 0) {
                reclaimAt = System.nanoTime() + RECLAIM_PAUSE_NANOS;
                reclaiming = reclaim();
            }
        } catch (RuntimeException | Error e) {
            LOG.error("backup writer met a bug", e);
            TimeUnit.NANOSECONDS.sleep(RECLAIM_PAUSE_NANOS); // It may be met again at once.
        }
    }

    private boolean reclaim() throws PartitionedStore.ClosedStore {
        try {
            return reclaimer.step();
        } catch (RocksDBException e) {
            health.failed(e);
            return false;
        } catch (RuntimeException | Error e) {
            LOG.error("backup reclaiming met a bug", e);
            return false;
        }
    }

    private void decideAndWrite(List<Write> batch) {
        List<StoreOutcome> outcomes;
        try {
            outcomes = tryBatch(batch);
        } catch (PartitionedStore.ClosedStore e) {
            outcomes = refuseAll(batch, Unavailability.CLOSED, CLOSED);
        } catch (RocksDBException e) {
            // Decisions were taken against writes that are not there now, so none of them stands.
            meters.writeErrors.inc(batch.size());
            health.failed(e);
            outcomes = refuseAll(batch, Unavailability.STORAGE, health.detail());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // Closing gave up waiting.
            outcomes = refuseAll(batch, Unavailability.CLOSED, CLOSED);
        } catch (UncheckedIOException e) {
            meters.writeErrors.inc(batch.size());
            outcomes = refuseAll(batch, Unavailability.STORAGE, String.valueOf(e.getMessage()));
        } catch (RuntimeException | Error e) {
            LOG.error("backup writer met a bug writes={}", batch.size(), e);
            queue.release(batch);
            batch.forEach(write -> write.outcome().completeExceptionally(e));
            return;
        }
        answer(batch, outcomes);
    }

    private void answer(List<Write> batch, List<StoreOutcome> outcomes) {
        // First out of the queue, so that a reader who has seen the outcome finds the record itself.
        queue.release(batch);
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).outcome().complete(outcomes.get(i));
        }
    }

    private List<StoreOutcome> tryBatch(List<Write> batch)
            throws RocksDBException, PartitionedStore.ClosedStore, InterruptedException {
        String broken = health.refusal();
        if (broken != null) {
            meters.writeErrors.inc(batch.size());
            return refuseAll(batch, Unavailability.STORAGE, broken);
        }
        long now = clock.millis();
        vault.store().rotate(now);
        List<StoreOutcome> outcomes = new ArrayList<>(batch.size());
        List<Write> accepted = new ArrayList<>(batch.size());
        Map<CacheKey, Entry> taken = new HashMap<>();
        for (Write write : batch) {
            Entry entry = write.entry();
            Entry held = taken.get(entry.key());
            if (held == null) {
                held = vault.rival(write);
            }
            StoreOutcome refused =
                    Conditions.refuse(write.condition(), entry, held == null || held.isExpired(now) ? null : held, now);
            if (refused == null) {
                accepted.add(write);
                taken.put(entry.key(), entry);
            } else {
                write.skip();
            }
            outcomes.add(refused == null ? StoreOutcome.APPLIED : refused);
        }
        next = queue.poll(BATCH_ENTRIES, BATCH_BYTES);
        sealers.help(next);
        if (!accepted.isEmpty()) {
            List<PartitionedStore.Stored> sealed = new ArrayList<>(accepted.size());
            List<byte[]> kept = new ArrayList<>();
            for (Write write : accepted) {
                sealed.add(write.sealed());
                if (keeper.isKept(write.entry(), now)) {
                    kept.add(write.hash());
                }
            }
            vault.write(sealed, kept);
            health.worked();
        }
        return outcomes;
    }

    private static List<StoreOutcome> refuseAll(List<Write> batch, Unavailability cause, @Nullable String detail) {
        List<StoreOutcome> outcomes = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            outcomes.add(new StoreOutcome.Unavailable(TierLevel.L3, cause, detail == null ? "" : detail));
        }
        return outcomes;
    }
}
