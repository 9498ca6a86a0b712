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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 * Unavailability#DISCONNECTED}, which no breaker counts. Storage that fails is tried again, more and more rarely. What was copied, or brought here, by another plan
 * than the one that counts now says nothing about the newer one: its parts are copied again. Thread-safe.
 */
final class LiveRestore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveRestore.class);
    private static final long SOONEST_MILLIS = 250;
    private static final long RAREST_MILLIS = 30_000;
    private static final long CLOSING_MILLIS = 10_000;
    private static final long RAREST_NANOS = TimeUnit.MILLISECONDS.toNanos(RAREST_MILLIS);
    private static final String GONE = "the folder of L3 was removed or replaced";
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

        /** Whether its folder is still where it was opened. */
        boolean hasItsFolder();
    }

    private final TierContext context;
    private final Path folder;
    private final Host host;
    private final RemoteEntries entries;
    private final String repository;
    private final RestoreNote before;
    private final Map<RemoteFolder, DoneParts> done = new ConcurrentHashMap<>();
    private final long driftMillis;
    /** What they remember is of the plans that count. */
    private volatile HidingMarkers markers;

    private volatile long plannedMillis;
    private final Map<RemoteFolder, InVain> inVain = new HashMap<>();
    private final Counter copied;
    private final Counter expired;
    private final Counter failures;
    private final Counter onDemand;
    private final Thread thread;
    private volatile String trouble = "";
    private volatile boolean finished;
    private volatile long finishedNanos;
    private boolean closing;

    /** Without these blobs there was no newer plan at that time. */
    private record InVain(Set<String> absent, long nanos) {}

    /**
     * Begins nothing yet.
     *
     * @param note what the folder remembers
     */
    LiveRestore(TierContext context, BackupStorageSettings settings, Path folder, RestoreNote note, Host host) {
        this.context = context;
        this.folder = folder;
        this.host = host;
        this.before = note;
        this.repository = RestoreNote.repository(settings);
        this.plannedMillis = note.sinceMillis();
        this.driftMillis = context.offered(Settings.class)
                .map(all -> all.limits().maxClockDrift())
                .orElse(USUAL_DRIFT)
                .toMillis();
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
        return done.computeIfAbsent(
                one,
                folder ->
                        new DoneParts(before.done(folder.writer(), folder.plan().text())));
    }

    /** What is written here after the plans were taken is newer than anything in them. */
    private boolean isOurs(Entry held) {
        return held.version().epochMillis() > plannedMillis + driftMillis;
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
        Map<RemoteFolder, Boolean> open = new HashMap<>();
        entries.folders().forEach(one -> open.put(one, !done(one).has(one.hashOf(key))));
        Entry held = host.held(key);
        if (held != null && isOurs(held)) {
            return CompletableFuture.completedStage(Found.of(held));
        }
        // All or none: what is newer in a part that is done, and had expired, was not copied, and must keep older ones
        // of other writers out.
        boolean any = open.containsValue(true);
        BiPredicate<RemoteFolder, byte[]> wanted = (one, hash) -> any || !open.containsKey(one);
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
            if (!host.hasItsFolder()) {
                return GONE;
            }
            if (!entries.isConnected()) {
                connect();
            }
            String why = renew();
            for (RemoteFolder one : entries.folders()) {
                try {
                    if (!one.isPrepared() && !one.isOver()) {
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
        } catch (RuntimeException | Error e) {
            // Whatever it is: without this thread nothing more would come, and nobody would say so.
            LOG.error("a restore under way met a bug folder={}", folder, e);
            return e.toString();
        }
    }

    private void connect() throws BlobException, DamagedException, IOException, RocksDBException, ClosedStore {
        List<RemoteFolder> found = entries.plan(this::isWanted);
        if (!before.repository().equals(repository) || !found.stream().allMatch(this::isAsBefore)) {
            // What was copied by an older plan may be older than what is published now, however new it is.
            plannedMillis = context.clock().millis();
        }
        entries.take(found);
        markers = new HidingMarkers(this::marker);
        remember();
        LOG.info(
                "a restore goes on while L3 serves folder={} writers={} bytes={}",
                folder,
                entries.writers(),
                entries.bytes());
    }

    /** Those that were found first; of another repository all, because there this folder is no writer yet. */
    private boolean isWanted(int writer) {
        if (!before.repository().equals(repository)) {
            return true;
        }
        return before.writers().isEmpty()
                ? writer != ownWriter()
                : before.writers().containsKey(writer);
    }

    private boolean isAsBefore(RemoteFolder one) {
        RestoreNote.Progress progress = before.writers().get(one.writer());
        return progress != null && progress.plan().equals(one.plan().text());
    }

    /** What cannot come as planned gives way to another. Returns why that did not work; empty when it did, or there is no such thing. */
    private String renew() throws RocksDBException, ClosedStore, IOException {
        String why = "";
        for (RemoteFolder one : entries.folders()) {
            try {
                RemoteFolder next = needsAnother(one) ? entries.successor(one) : null;
                if (next != null) {
                    replace(one, next);
                } else if (one.isOver()) {
                    why = "what is on its way is awaited before a folder is read anew";
                }
            } catch (BlobException | DamagedException e) {
                why = String.valueOf(e.getMessage());
            }
        }
        return why;
    }

    private boolean needsAnother(RemoteFolder one) {
        if (one.isSpoilt() || one.isOver()) {
            return true;
        }
        Set<String> absent = one.absent();
        InVain last = inVain.get(one);
        long now = System.nanoTime();
        if (absent.isEmpty() || last != null && last.absent().equals(absent) && now - last.nanos() < RAREST_NANOS) {
            return false; // Looking for a newer plan reads a chain of generations.
        }
        inVain.put(one, new InVain(absent, now));
        return true;
    }

    private void replace(RemoteFolder old, RemoteFolder next) throws RocksDBException, ClosedStore, IOException {
        boolean isSame = next.plan().text().equals(old.plan().text());
        if (isSame) {
            done.put(next, done(old));
        } else {
            plannedMillis = context.clock().millis();
        }
        entries.replace(old, next);
        markers = new HidingMarkers(this::marker);
        done.remove(old);
        inVain.remove(old);
        old.discard();
        remember();
        LOG.warn(
                "a restore under way begins anew with one writer folder={} writer={} reason={}",
                folder,
                next.writer(),
                isSame ? "what had come is damaged" : "its restore point was pruned");
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
        Map<Integer, RestoreNote.Progress> now = new HashMap<>();
        entries.folders()
                .forEach(one -> now.put(
                        one.writer(),
                        new RestoreNote.Progress(one.plan().text(), done(one).copy())));
        host.sync();
        if (!host.hasItsFolder()) {
            throw new IOException(GONE); // Nothing of it belongs into whatever lies in its place.
        }
        new RestoreNote(plannedMillis, repository, now).write(folder);
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
