package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.TerraceException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntrySource;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.RemoteFolder.Found;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a folder of L3 back while its tier serves: asks the repository for what callers miss, and copies everything else part by part. A
 * part is one of {@value RestoreNote#PARTS} ranges of key hashes of one writer; once the tier holds it, the tier alone answers for it. Until then the newer of
 * what the tier holds and what the repository holds counts, and when the repository cannot say, nobody says that there is nothing: {@link
 * Unavailability#DISCONNECTED}, which no breaker counts. Storage that fails is tried again, more and more rarely. Thread-safe.
 */
final class LiveRestore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveRestore.class);
    private static final long SOONEST_MILLIS = 250;
    private static final long RAREST_MILLIS = 30_000;
    private static final long CLOSING_MILLIS = 10_000;
    private static final Duration USUAL_DRIFT = Duration.ofMinutes(1);

    /** So long markers are asked for after all is back: who opened a cache before may not have heard them yet, and asks each second. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The tier under which this goes on. */
    interface Host {
        /** What it holds itself, expired or not. */
        @Nullable
        Entry held(CacheKey key) throws RocksDBException, ClosedStore;

        /** Stores what is newer. */
        CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries);

        /** Everything that was stored until now survives a power failure when this returns. */
        void sync() throws RocksDBException, ClosedStore;
    }

    private final TierContext context;
    private final Path folder;
    private final Host host;
    private final RemoteEntries entries;
    private final HidingMarkers markers;
    private final Map<Integer, BitSet> before;
    private final Map<Integer, DoneParts> done = new ConcurrentHashMap<>();
    private final long beganMillis;
    private final long oursAfterMillis;
    private final Counter copied;
    private final Counter expired;
    private final Counter failures;
    private final Counter onDemand;
    private final Thread thread;
    private volatile String trouble = "";
    private volatile boolean finished;
    private volatile long finishedNanos;
    private boolean closing;

    /**
     * Begins nothing yet.
     *
     * @param note what the folder remembers
     */
    LiveRestore(TierContext context, BackupStorageSettings settings, Path folder, RestoreNote note, Host host) {
        this.context = context;
        this.folder = folder;
        this.host = host;
        this.before = note.done();
        this.beganMillis = note.beganMillis();
        Duration drift = context.offered(Settings.class)
                .map(all -> all.limits().maxClockDrift())
                .orElse(USUAL_DRIFT);
        this.oursAfterMillis = beganMillis + drift.toMillis();
        // Shorter than the tier's own deadline: who waited in vain says why, and no breaker counts it.
        long patience = Math.max(1, settings.timeout().toMillis() * 3 / 4);
        this.entries = new RemoteEntries(context, settings, folder.resolve(RestoreNote.WORK), patience);
        this.markers = new HidingMarkers(this::marker);
        MetricRegistry metrics = context.metrics();
        this.copied = metrics.counter("l3.restore.entries");
        this.expired = metrics.counter("l3.restore.expired");
        this.failures = metrics.counter("l3.restore.failures");
        this.onDemand = metrics.counter("l3.restore.on_demand");
        gauge(metrics, "l3.restore.bytes_left", () -> entries.bytes() - entries.bytesHere());
        gauge(metrics, "l3.restore.parts_left", () -> (long) partsLeft());
        this.thread = new Thread(this::run, "terrace-l3-restore");
        this.thread.setDaemon(true);
    }

    private static void gauge(MetricRegistry metrics, String name, Gauge<Long> value) {
        metrics.remove(name); // Of a tier that was closed before.
        metrics.gauge(name, () -> value);
    }

    /** Starts; separate from construction so that threads see a finished object. */
    LiveRestore begin() {
        thread.start();
        return this;
    }

    /** Whether the tier can be asked without this. */
    boolean isOver() {
        return finished && System.nanoTime() - finishedNanos > GRACE_NANOS;
    }

    EntrySource.Readiness readiness() {
        return finished
                ? EntrySource.Readiness.WHOLE
                : entries.isConnected() && entries.folders().stream().allMatch(RemoteFolder::isPrepared)
                        ? EntrySource.Readiness.BY_KEY
                        : EntrySource.Readiness.NOT_YET;
    }

    private int partsLeft() {
        if (finished) {
            return 0;
        }
        return entries.folders().stream()
                .mapToInt(one -> RestoreNote.PARTS - done(one).count())
                .sum();
    }

    private DoneParts done(RemoteFolder one) {
        return done.computeIfAbsent(one.writer(), writer -> new DoneParts(before.getOrDefault(writer, new BitSet())));
    }

    /** What is written here from then on is newer than anything in the repository. */
    private boolean isOurs(Entry held) {
        return held.version().epochMillis() > oursAfterMillis;
    }

    /** What the tier is to answer for a key. Never fails, but for what the tier itself holds. */
    CompletionStage<Lookup> find(CacheKey key) throws RocksDBException, ClosedStore {
        return newest(key).thenCompose(this::seen).thenApply(found -> {
            Entry entry = found.entry();
            if (!found.unknown().isEmpty()) {
                return new Lookup.Unavailable(
                        TierLevel.L3, Unavailability.DISCONNECTED, "not restored yet: " + found.unknown());
            }
            return entry == null || entry.isExpired(context.clock().millis()) ? Lookup.MISS : new Lookup.Hit(entry);
        });
    }

    private CompletionStage<Found> seen(Found found) {
        Entry entry = found.entry();
        return entry == null || !entry.isValue() || Keeper.isReserved(entry.key()) || isOurs(entry)
                ? CompletableFuture.completedStage(found)
                : markers.seen(entry);
    }

    private CompletionStage<Found> marker(CacheKey key) {
        try {
            return newest(key);
        } catch (RocksDBException | ClosedStore e) {
            return CompletableFuture.completedStage(new Found(null, "reading fails: " + e.getMessage(), null));
        }
    }

    private CompletionStage<Found> newest(CacheKey key) throws RocksDBException, ClosedStore {
        if (finished) {
            return CompletableFuture.completedStage(Found.of(host.held(key)));
        }
        // First which parts are open, then what is held: what is copied meanwhile is found in both places.
        Map<Integer, Boolean> open = new HashMap<>();
        entries.folders().forEach(one -> open.put(one.writer(), !done(one).has(one.hashOf(key))));
        Entry held = host.held(key);
        if (held != null && isOurs(held)) {
            return CompletableFuture.completedStage(Found.of(held));
        }
        BiPredicate<RemoteFolder, byte[]> wanted = (one, hash) -> open.getOrDefault(one.writer(), true);
        return entries.find(key, wanted).thenApply(found -> {
            Entry there = found.entry();
            if (there != null && (held == null || there.version().isNewerThan(held.version()))) {
                onDemand.inc();
                return found;
            }
            return found.unknown().isEmpty() ? Found.of(held) : found;
        });
    }

    /** How far it is. */
    RestoreReport report() {
        List<RemoteFolder> folders = entries.folders();
        int parts = folders.size() * RestoreNote.PARTS;
        return new RestoreReport(
                finished
                        ? RestoreReport.State.DONE
                        : entries.isConnected() ? RestoreReport.State.RUNNING : RestoreReport.State.WAITING,
                folders.size(),
                entries.bytes(),
                finished ? entries.bytes() : entries.bytesHere(),
                parts,
                finished ? parts : parts - partsLeft(),
                copied.getCount(),
                expired.getCount(),
                folders.stream().mapToLong(RemoteFolder::unreadable).sum(),
                folders.stream().mapToLong(RemoteFolder::throughMillis).min().orElse(0),
                failures.getCount(),
                finished ? "" : trouble());
    }

    private String trouble() {
        String own = trouble;
        return own.isEmpty() ? entries.trouble() : own;
    }

    private void run() {
        long pause = SOONEST_MILLIS;
        try {
            while (!finished && !isClosing()) {
                int left = partsLeft();
                String why = round();
                boolean goesOn = why.isEmpty() || partsLeft() < left;
                if (!why.isEmpty()) {
                    failures.inc();
                    if (trouble.isEmpty()) {
                        LOG.warn("a restore under way is late, tried again folder={} reason={}", folder, why);
                    }
                }
                trouble = why;
                pause = goesOn ? SOONEST_MILLIS : Math.min(RAREST_MILLIS, 2 * pause);
                if (!finished && !why.isEmpty()) {
                    await(pause);
                }
            }
        } finally {
            Records.releaseThread();
        }
    }

    /** One try of everything that is left. Returns why it is not all; empty when it is, or this is closed. */
    private String round() {
        try {
            if (!entries.isConnected()) {
                entries.connect(writer -> before.isEmpty() ? writer != ownWriter() : before.containsKey(writer));
                remember();
                LOG.info(
                        "a restore goes on while L3 serves folder={} writers={} bytes={}",
                        folder,
                        entries.writers(),
                        entries.bytes());
            }
            String why = "";
            for (RemoteFolder one : entries.folders()) {
                try {
                    if (!one.isPrepared()) {
                        one.prepare();
                    }
                } catch (BlobException | IOException e) {
                    why = String.valueOf(e.getMessage());
                }
            }
            PartCopies copies =
                    new PartCopies(context.clock(), entries.folders(), host, copied, expired, this::isClosing);
            String late = copies.run(this::done, this::remember);
            why = why.isEmpty() ? late : why;
            if (why.isEmpty() && partsLeft() == 0 && !isClosing()) {
                finish();
            }
            return why;
        } catch (BlobException | DamagedException | IOException | RocksDBException | TerraceException e) {
            return String.valueOf(e.getMessage());
        } catch (ClosedStore e) {
            return "the backup tier is closed";
        } catch (RuntimeException e) {
            LOG.error("a restore under way met a bug folder={}", folder, e);
            return e.toString();
        }
    }

    /** What this folder itself has shipped since is here. */
    private int ownWriter() {
        try {
            Place place = new FolderPlace(folder.resolve("BACKUP")).load();
            return place == null ? 0 : place.writer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So that a process that comes after this goes on from here. */
    private void remember() throws RocksDBException, ClosedStore, IOException {
        Map<Integer, BitSet> now = new HashMap<>();
        entries.folders().forEach(one -> now.put(one.writer(), done(one).copy()));
        host.sync();
        new RestoreNote(beganMillis, now).write(folder);
    }

    private void finish() throws RocksDBException, ClosedStore, IOException {
        remember();
        finishedNanos = System.nanoTime();
        finished = true;
        entries.close();
        RestoreNote.remove(folder);
        LOG.info("L3 is restored folder={} entries={} expired={}", folder, copied.getCount(), expired.getCount());
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    private synchronized void await(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            for (long left = millis;
                    !closing && left > 0;
                    left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())) {
                wait(left);
            }
        } catch (InterruptedException e) {
            closing = true;
            Thread.currentThread().interrupt();
        }
    }

    /** Stops where it is; whoever opens the folder next goes on. */
    @Override
    public void close() {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        if (!ThreadEnd.await(thread, CLOSING_MILLIS / 10)) {
            thread.interrupt();
        }
        if (ThreadEnd.await(thread, CLOSING_MILLIS)) {
            if (!finished) {
                entries.close();
            }
        } else {
            LOG.error("a restore under way did not end and was left open folder={}", folder);
        }
    }
}
