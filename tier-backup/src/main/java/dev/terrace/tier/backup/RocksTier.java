package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.KeyHolder;
import dev.terrace.spi.KeyReport;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.Restoring;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * L3 on RocksDB. How it is read says {@link RocksReads}. Writes wait in a queue bounded by {@code queue_entries} and {@code queue_mib} for the one writer. A
 * full queue, of reads or of writes, answers OVERLOADED at once; the depth of the latter stands in {@link #status()} and in {@code l3.queue.entries} and {@code l3.queue.bytes}.
 *
 * <p>A write's stage completes when a kill of the process can no longer lose it; power loss can lose the last second. A
 * write whose stage ended in TIMEOUT is still tried. An unconditional write is seen by reads as soon as it is queued,
 * and is gone again when the storage refuses it.
 *
 * <p>Stages that are not complete yet complete on the tier's own threads: whoever blocks in a dependent stage holds the tier up.
 */
final class RocksTier implements ScannableTier, HintStore, Probed, KeyHolder, BackupShipper, Restoring {
    private static final Logger LOG = LoggerFactory.getLogger(RocksTier.class);
    private static final long DRAIN_MILLIS = 5_000;

    private final BackupStorageSettings settings;
    private final Folder folder;
    private final Vault vault;
    private final Dictionaries dictionaries;
    private final WriteQueue queue;
    private final Sealers sealers;
    private final Deadlines deadlines;
    private final Chores chores;
    private final Reclaimer reclaimer;
    private final HintFamily hints;
    private final StorageHealth health;
    private final Meters meters;
    private final InstantSource clock;
    private final RocksReads reads;
    private final Thread writer;
    private @Nullable ShippingThread shipping;
    private @Nullable LiveRestore restore;
    private final @Nullable KeyRing keys;
    private volatile boolean closed;

    RocksTier(
            BackupStorageSettings settings,
            Folder folder,
            Vault vault,
            Dictionaries dictionaries,
            WriteQueue queue,
            HighWater highWater,
            HintFamily hints,
            Meters meters,
            InstantSource clock,
            @Nullable KeyRing keys) {
        this.keys = keys;
        this.hints = hints;
        this.settings = settings;
        this.folder = folder;
        this.vault = vault;
        this.dictionaries = dictionaries;
        this.queue = queue;
        this.meters = meters;
        this.clock = clock;
        this.health = new StorageHealth(folder.path());
        Keeper keeper = new Keeper(vault, settings.retention().toMillis());
        this.chores = new Chores(vault.store(), dictionaries, keeper, highWater, health, meters, clock);
        this.reclaimer = new Reclaimer(vault, meters);
        int processors = Runtime.getRuntime().availableProcessors();
        this.sealers = new Sealers(processors);
        this.deadlines =
                new Deadlines("terrace-l3-deadlines", settings.timeout().toMillis());
        this.reads = new RocksReads(vault, queue, deadlines, settings.timeout(), processors, meters, clock);
        this.writer = Records.thread(
                new Writer(queue, sealers, vault, keeper, chores, reclaimer, health, meters, clock),
                "terrace-l3-writer");
    }

    /** Starts the writer; separate from construction so that the thread sees a finished object. */
    RocksTier start() {
        writer.start();
        chores.log().start();
        hints.start();
        if (shipping != null) {
            shipping.begin();
        }
        if (restore != null) {
            restore.begin();
        }
        return this;
    }

    /** From now on {@code thread} belongs to it; before it is started. */
    void shipBy(ShippingThread thread) {
        shipping = thread;
    }

    /** Serves while it comes back from its repository; before it is started. */
    void restoreBy(TierContext context, RestoreNote note) {
        LiveRestore under = new LiveRestore(context, settings, folder.path(), note, new LiveRestore.Host() {
            @Override
            public @Nullable Entry held(CacheKey key) throws RocksDBException, PartitionedStore.ClosedStore {
                return reads.held(key);
            }

            @Override
            public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
                return RocksTier.this.putAll(entries);
            }

            @Override
            public void sync() throws RocksDBException, PartitionedStore.ClosedStore {
                vault.store().sync();
            }

            @Override
            public boolean hasItsFolder() {
                return RocksTier.this.hasItsFolder();
            }
        });
        restore = under;
        reads.restoreBy(under);
    }

    /** What it holds, below its queues. */
    Vault vault() {
        return vault;
    }

    Dictionaries dictionaries() {
        return dictionaries;
    }

    PartitionedStore store() {
        return vault.store();
    }

    @Override
    public TierLevel level() {
        return TierLevel.L3;
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return reads.get(key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return reads.getAll(List.copyOf(keys));
    }

    @Override
    public CompletionStage<String> probe() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        Lookup refused = reads.ask(answer, () -> CompletableFuture.completedStage(trouble()));
        return refused instanceof Lookup.Unavailable no
                ? CompletableFuture.completedFuture(no.detail())
                : deadlines.watch(answer, () -> "no answer within " + settings.timeout());
    }

    private String trouble() {
        String broken = health.refusal();
        if (broken != null) {
            return broken;
        }
        if (!folder.isThere()) {
            // Files that were deleted can be written as long as they are open, and are gone with the process.
            return "the folder " + folder.path() + " was removed or replaced";
        }
        try {
            return vault.store().probe() ? "" : "what was written is not there";
        } catch (PartitionedStore.ClosedStore e) {
            return "the backup tier is closed";
        } catch (RocksDBException e) {
            return "writing to " + folder.path() + " fails: " + e.getMessage();
        }
    }

    /** Whether what it opened still lies where it was. Looks at the disk. */
    boolean hasItsFolder() {
        return folder.isThere();
    }

    @Override
    public @Nullable KeyReport keys() {
        return keys == null ? null : keys.report();
    }

    @Override
    public CompletionStage<String> rotateKey(String purpose, String by) {
        KeyRing ring = keys;
        CompletableFuture<String> answer = new CompletableFuture<>();
        String refused = ring == null ? "L3 is not encrypted, so it has no keys" : health.refusal();
        Lookup busy = refused == null && ring != null
                ? reads.ask(answer, () -> CompletableFuture.completedStage(KeyFacts.rotate(ring, purpose, by)))
                : null;
        if (refused != null || busy != null) {
            return CompletableFuture.completedFuture(
                    busy instanceof Lookup.Unavailable no ? no.detail() : String.valueOf(refused));
        }
        return answer;
    }

    @Override
    public @Nullable BackupReport backup() {
        return shipping == null ? null : shipping.report(clock.millis());
    }

    @Override
    public @Nullable RestoreReport restore() {
        return restore == null ? null : restore.report();
    }

    @Override
    public Readiness readiness() {
        return restore == null ? Readiness.WHOLE : restore.readiness();
    }

    @Override
    public CompletionStage<String> snapshot() {
        return shipping == null
                ? CompletableFuture.completedFuture("L3 has no backup repository")
                : shipping.snapshot();
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return write(entry, condition);
    }

    private CompletableFuture<StoreOutcome> write(Entry entry, WriteCondition condition) {
        int bytes = Envelope.length(entry);
        long most = Math.min(Records.MAX_ENVELOPE_BYTES, (long) settings.queueMib() << 20);
        if (bytes > most || bytes < 0) {
            return CompletableFuture.completedFuture(new StoreOutcome.Refused(
                    TierLevel.L3,
                    "entry of " + bytes + " bytes exceeds the " + most
                            + " that L3 takes (the lesser of 64 MiB and backup_storage.queue_mib)"));
        }
        Write write = vault.write(entry, condition, bytes);
        WriteQueue.Admission admission = queue.offer(write);
        if (admission == WriteQueue.Admission.CLOSED) {
            return CompletableFuture.completedFuture(
                    new StoreOutcome.Unavailable(TierLevel.L3, Unavailability.CLOSED, "the backup tier is closed"));
        }
        if (admission == WriteQueue.Admission.FULL) {
            meters.overloaded.inc();
            return CompletableFuture.completedFuture(new StoreOutcome.Unavailable(
                    TierLevel.L3, Unavailability.OVERLOADED, "the write queue is full: " + queueDepth()));
        }
        return deadlines.watch(
                write.outcome(),
                () -> new StoreOutcome.Unavailable(
                        TierLevel.L3,
                        Unavailability.TIMEOUT,
                        "not written within " + settings.timeout() + ", still tried"));
    }

    private String queueDepth() {
        return queue.entries() + " of " + settings.queueEntries() + " entries, " + (queue.bytes() >> 20) + " of "
                + settings.queueMib() + " MiB";
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        List<CompletableFuture<StoreOutcome>> outcomes = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            outcomes.add(write(entry, WriteCondition.IF_NEWER));
        }
        return CompletableFuture.allOf(outcomes.toArray(CompletableFuture[]::new))
                .thenApply(all -> outcomes.stream().map(CompletableFuture::join).toList());
    }

    /** Completes at once; the space comes back in the background. */
    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        if (!closed) {
            reclaimer.ask(cache, upTo);
        }
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Boolean> keep(Hint hint) {
        return hints.keep(hint);
    }

    @Override
    public void drop(String zone, CacheKey key) {
        hints.drop(zone, key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Entry>> read(String zone, Collection<CacheKey> keys) {
        return hints.read(zone, keys);
    }

    @Override
    public CompletionStage<Long> load(Collection<String> zones, Consumer<Hint> visitor) {
        return hints.load(zones, visitor);
    }

    @Override
    public String layout() {
        return vault.layout();
    }

    @Override
    public void scan(int part, int parts, Predicate<Entry> visitor) {
        try {
            new Scan(vault, meters, clock, part, parts).run(visitor);
        } finally {
            Records.releaseThread();
        }
    }

    @Override
    public TierStatus status() {
        String wrong = health.detail();
        TierStatus.State state =
                closed ? TierStatus.State.CLOSED : wrong != null ? TierStatus.State.READ_ONLY : TierStatus.State.READY;
        return new TierStatus(
                TierLevel.L3,
                state,
                "RocksDB in " + settings.path() + (settings.encryption() ? ", encrypted" : ", plain"),
                wrong != null ? wrong : "write queue: " + queueDepth() + restoring() + late(),
                meters.entries,
                meters.bytes);
    }

    private String restoring() {
        RestoreReport report = restore();
        if (report == null || report.state() == RestoreReport.State.DONE) {
            return "";
        }
        String far = report.parts() == 0
                ? "; restore waits for the repository"
                : "; being restored: " + 100L * report.partsDone() / report.parts() + " %";
        return report.trouble().isEmpty() ? far : far + ", is late: " + report.trouble();
    }

    private String late() {
        String trouble = shipping == null ? "" : shipping.trouble();
        return trouble.isEmpty() ? "" : "; backup is late: " + trouble;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        if (restore != null) {
            restore.close();
        }
        hints.close();
        queue.close();
        boolean drained = ThreadEnd.await(writer, DRAIN_MILLIS);
        closed = true;
        reads.close();
        dictionaries.close();
        boolean synced = chores.log().end();
        if (drained) {
            if (synced) {
                lastSync();
            }
        } else {
            LOG.error("backup did not drain in time, writes are lost folder={} {}", folder.path(), queueDepth());
            writer.interrupt();
            ThreadEnd.await(writer, DRAIN_MILLIS / 5);
            answerTheRest();
        }
        if (shipping != null) {
            shipping.close();
        }
        sealers.close();
        if (vault.store().close(DRAIN_MILLIS)) {
            folder.close();
        } else {
            // Freeing memory that a thread still uses would crash the process. The lock stays too: the folder is in
            // use.
            LOG.error("backup is stuck in its storage and was left open folder={}", folder.path());
        }
        deadlines.close();
        meters.close();
    }

    private void lastSync() {
        try {
            chores.sync();
        } catch (PartitionedStore.ClosedStore e) {
            throw new IllegalStateException("closed before it was closed", e);
        }
    }

    private void answerTheRest() {
        List<Write> rest = queue.takeRest();
        queue.release(rest);
        rest.forEach(write -> write.outcome()
                .complete(new StoreOutcome.Unavailable(
                        TierLevel.L3, Unavailability.CLOSED, "the backup tier was closed before it was written")));
    }

    /** Deletes copies of damaged logs that are older than anything else may be. */
    void tidy() {
        try {
            Salvages.deleteOlder(
                    folder.path(), clock.millis() - settings.retention().toMillis());
        } catch (IOException e) {
            LOG.warn("backup cannot delete old copies of damaged logs folder={}", folder.path(), e);
        }
    }
}
