package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.Sides.Side;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DeltaFormat;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;

/**
 * One writer's folder of L3 as far as it has come out of the repository. The manifest of its database and the changes after the snapshot come first,
 * because any key may be among them; the newest change before older ones, so that what was written last is answered first. Table files follow, those first that
 * somebody waits for. Nothing is read that was not compared with what was signed, and of each key the newest copy counts, readable or not, as in
 * {@link MergeInput}. It is of one plan, and so are the changes that it keeps on the disk; files of an earlier plan are used where they are the same. One thread
 * {@linkplain #prepare prepares}; all else is thread-safe.
 */
final class RemoteFolder implements AutoCloseable {
    private static final int DELTAS_AHEAD = 3;
    private static final int SIDE_BATCH = 1_000;
    private static final String CHANGES = "changes";
    private static final int ID_LENGTH = 16;
    /** Of a batch in a log of RocksDB: its sequence number and its count stand before its changes. */
    private static final int BATCH_HEADER = 12;

    private final RestorePlan plan;
    private final BackupStorageSettings settings;
    private final InstantSource clock;
    private final Path folder;
    private final Download download;
    private final Fetcher fetcher;
    private final @Nullable KeyRing ring;
    private final KeyHash names;
    private final AtomicLong unreadable = new AtomicLong();
    private volatile @Nullable Opened opened;
    private volatile boolean hasTables;
    private volatile List<RemoteTable> tables = List.of();
    /** All changes with at least this number are here. */
    private volatile long changesFrom = Long.MAX_VALUE;

    private volatile boolean complete;
    private volatile String trouble = "";
    /** Why it is not asked any more; empty while it is. */
    private volatile String over = "";

    private volatile CompletableFuture<Void> step = new CompletableFuture<>();

    /** What records are read with; replaced when dictionaries come in. */
    private record Opened(ChangeStore changes, Options reading, Dictionaries dictionaries, Records records) {}

    /**
     * What is known of a key.
     *
     * @param entry the newest copy, live or not; null for none that can be believed
     * @param unknown why that cannot be said; empty when it can
     * @param until completes when there is more to know; null when nothing is on its way
     */
    record Found(
            @Nullable Entry entry, String unknown, @Nullable CompletableFuture<?> until) {
        static final Found NOTHING = new Found(null, "", null);

        static Found of(@Nullable Entry entry) {
            return entry == null ? NOTHING : new Found(entry, "", null);
        }
    }

    /** What was asked for is not here. */
    static final class NotHereException extends IOException {
        private static final long serialVersionUID = 1L;

        NotHereException(String message) {
            super(message);
        }
    }

    /**
     * Reads nothing yet.
     *
     * @param folder for nobody else; what an earlier process brought there is used
     * @param ring the writer's keys; null for a plain folder
     */
    RemoteFolder(
            RestorePlan plan,
            BackupStorageSettings settings,
            InstantSource clock,
            Path folder,
            Download download,
            Fetcher fetcher,
            @Nullable KeyRing ring) {
        this.plan = plan;
        this.settings = settings;
        this.clock = clock;
        this.folder = folder;
        this.download = download;
        this.fetcher = fetcher;
        this.ring = ring;
        this.names = ring == null ? KeyHash.plain() : KeyHash.keyed(ring.indexKey());
    }

    RestorePlan plan() {
        return plan;
    }

    /** How much of it has come. */
    long bytesHere() {
        return Math.min(plan.bytes(), download.brought());
    }

    /** Names of blobs that it needs and the repository did not have when they were asked for last. */
    Set<String> absent() {
        return download.absent();
    }

    /** Whether what was brought here cannot be read any more. */
    boolean isSpoilt() {
        Opened open = opened;
        return open != null && open.changes().isSpoilt();
    }

    int writer() {
        return plan.writer();
    }

    long throughMillis() {
        return plan.segment().throughMillis();
    }

    byte[] hashOf(CacheKey key) {
        return names.of(key);
    }

    /** Records that could not be believed. */
    long unreadable() {
        return unreadable.get();
    }

    /** Whether everything but table files is here. */
    boolean isPrepared() {
        return complete && !isOver();
    }

    /** Why something is not here; empty when all goes well. */
    String trouble() {
        if (!trouble.isEmpty()) {
            return trouble;
        }
        return tables.stream()
                .map(RemoteTable::trouble)
                .filter(why -> !why.isEmpty())
                .findFirst()
                .orElse("");
    }

    /** Brings everything here but table files, and asks for those. Can be called again after it has failed; goes on where it was. */
    void prepare() throws BlobException, IOException {
        try {
            trouble = "";
            Opened open = open();
            Path files = Files.createDirectories(folder.resolve("files"));
            plan.removeOthers(files);
            FileRef manifest = plan.files().stream()
                    .filter(file -> file.file().startsWith("MANIFEST-"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("the snapshot of writer " + writer() + " has no manifest"));
            download.file(manifest.blob(), files.resolve(manifest.file()));
            TableRanges ranges = TableRanges.in(files.resolve(manifest.file()));
            if (!hasTables) {
                tables(ranges, files, open);
            }
            open = bringSides(ranges, files, open);
            bringDeltas(open);
            bringLogs(ranges, files);
            complete = true;
            // In the order in which they are copied.
            tables.stream()
                    .sorted((one, other) -> Arrays.compareUnsigned(
                            one.table().first(), other.table().first()))
                    .forEach(table -> table.ask(fetcher, Fetcher.Urgency.SOMETIME));
            forward();
        } catch (RocksDBException | ClosedStore e) {
            failed(e.toString());
            throw new IOException("what comes out of the repository cannot be stored: " + e.getMessage(), e);
        } catch (BlobException | IOException | RuntimeException e) {
            failed(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private void failed(String why) {
        trouble = why;
        forward();
    }

    /** There is more to know. */
    private void forward() {
        CompletableFuture<Void> told = step;
        step = new CompletableFuture<>();
        told.complete(null);
    }

    private Opened open() throws IOException, RocksDBException, ClosedStore {
        Opened known = opened;
        if (known != null) {
            return known;
        }
        Files.createDirectories(folder);
        Path own = changesOfThisPlan();
        try (Stream<Path> children = Files.list(folder)) {
            // A change that came after an older snapshot is older than what a newer one holds, and says nothing beside
            // it.
            for (Path child : children.toList()) {
                if (String.valueOf(child.getFileName()).startsWith(CHANGES) && !child.equals(own)) {
                    Folders.delete(child);
                }
            }
        }
        ChangeStore changes = ChangeStore.open(own, settings.retention().toMillis(), clock.millis());
        Options reading = null;
        try {
            reading = new Options(
                    changes.options().database(WALRecoveryMode.AbsoluteConsistency, false),
                    changes.options().family());
            return withDictionaries(changes, reading);
        } catch (RocksDBException | ClosedStore | RuntimeException | Error e) {
            if (reading != null) {
                reading.close();
            }
            changes.close();
            throw e;
        }
    }

    private Path changesOfThisPlan() {
        byte[] text = plan.text().getBytes(StandardCharsets.US_ASCII);
        return folder.resolve(CHANGES + "-" + Sha256.of(text).substring(0, ID_LENGTH));
    }

    private Opened withDictionaries(ChangeStore changes, Options reading) throws RocksDBException, ClosedStore {
        Opened before = opened;
        Dictionaries dictionaries = new Dictionaries(
                cache -> false, changes.store(), ring, CacheWatch.Limits.USUAL, clock, new MetricRegistry());
        try {
            dictionaries.load();
        } catch (RocksDBException | ClosedStore | RuntimeException | Error e) {
            dictionaries.close();
            throw e;
        }
        Opened next = new Opened(changes, reading, dictionaries, Records.reading(dictionaries, ring));
        opened = next;
        if (before != null) {
            before.dictionaries().close();
        }
        return next;
    }

    private void tables(TableRanges ranges, Path files, Opened open) throws IOException {
        List<RemoteTable> found = new ArrayList<>();
        for (FileRef file : plan.files()) {
            if (file.file().endsWith(".sst")) {
                TableRanges.Table table = ranges.of(file.file());
                if (table == null) {
                    throw new IOException("the manifest of writer " + writer() + " does not name " + file.file());
                }
                Partition.Age age = Partition.age(table.family());
                if (age != null) {
                    found.add(new RemoteTable(file, table, age, files.resolve(file.file()), download, open.reading()));
                }
            }
        }
        found.sort(RemoteTable::newestFirst);
        tables = List.copyOf(found);
        hasTables = true;
    }

    /** Files of the families that any record may need, or any answer. */
    private Opened bringSides(TableRanges ranges, Path files, Opened open)
            throws BlobException, IOException, RocksDBException, ClosedStore {
        boolean more = false;
        for (FileRef file : plan.files()) {
            TableRanges.Table table = file.file().endsWith(".sst") ? ranges.of(file.file()) : null;
            boolean areDictionaries = table != null && table.family().equals(Side.DICTIONARIES.familyName());
            boolean areKept = table != null && table.family().equals(Side.KEPT.familyName());
            if (table != null
                    && (areDictionaries || areKept)
                    && !open.changes().has(file.blob().sha256())) {
                Path path = files.resolve(file.file());
                download.file(file.blob(), path);
                try (RemoteTable here = RemoteTable.here(file, table, path, download, open.reading());
                        SortedCopies.Stream all = SortedCopies.of(here, new byte[0], null)) {
                    List<Stored> some = new ArrayList<>();
                    for (Stored one = all.next(); one != null; one = all.next()) {
                        some.add(one);
                        if (some.size() == SIDE_BATCH) {
                            take(open, some, areKept);
                            some.clear();
                        }
                    }
                    take(open, some, areKept);
                }
                open.changes().new Bringing().end(file.blob().sha256());
                more |= areDictionaries;
            }
        }
        return more ? withDictionaries(open.changes(), open.reading()) : open;
    }

    private static void take(Opened open, List<Stored> some, boolean areKept) throws RocksDBException, ClosedStore {
        if (areKept) {
            open.changes().takeKept(some);
        } else {
            open.changes().takeDictionaries(some);
        }
    }

    /** The oldest first, because dictionaries are trained early; then from the newest downwards. */
    private void bringDeltas(Opened open) throws BlobException, IOException, RocksDBException, ClosedStore {
        List<DeltaRef> deltas = plan.deltas();
        requireAll(deltas);
        List<DeltaRef> order = new ArrayList<>();
        if (!deltas.isEmpty()) {
            order.add(deltas.get(0));
        }
        for (int i = deltas.size() - 1; i > 0; i--) {
            order.add(deltas.get(i));
        }
        Deque<CompletableFuture<byte[]>> ahead = new ArrayDeque<>();
        List<DeltaRef> missing = new ArrayList<>();
        for (DeltaRef delta : order) {
            if (!open.changes().has(delta.blob().sha256())) {
                missing.add(delta);
            }
        }
        int next = 0;
        int brought = 0;
        boolean isWhole = true;
        Exception failure = null;
        for (DeltaRef delta : order) {
            boolean isHere = true;
            if (brought < missing.size() && missing.get(brought).equals(delta)) {
                while (next < missing.size() && ahead.size() < DELTAS_AHEAD) {
                    ahead.add(fetched(missing.get(next++).blob()));
                }
                brought++;
                try {
                    apply(delta, await(ahead.remove()));
                } catch (BlobException | IOException e) {
                    // What is newer can be answered all the same.
                    failure = failure == null ? e : failure;
                    isHere = false;
                }
            }
            if (deltas.size() == 1 || !delta.equals(deltas.get(0))) {
                isWhole &= isHere;
                changesFrom = isWhole ? Math.min(changesFrom, delta.fromSequence()) : changesFrom;
            }
            forward();
            if (Thread.currentThread().isInterrupted()) {
                // Those that are left are not here, whatever became of those before them.
                throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", null);
            }
        }
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    private CompletableFuture<byte[]> fetched(BlobRef blob) {
        CompletableFuture<byte[]> bytes = new CompletableFuture<>();
        fetcher.execute(Fetcher.Urgency.FIRST, () -> {
            try {
                bytes.complete(download.bytes(blob));
            } catch (BlobException | IOException | RuntimeException | Error e) {
                bytes.completeExceptionally(e);
            }
        });
        return bytes;
    }

    /** Each call of the store has a bound of its own. */
    private static byte[] await(CompletableFuture<byte[]> bytes) throws BlobException, IOException {
        try {
            return bytes.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BlobException failed) {
                throw failed;
            }
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IllegalStateException("a delta could not be fetched", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", e);
        }
    }

    private void requireAll(List<DeltaRef> deltas) throws IOException {
        long reached = plan.sequence();
        for (DeltaRef delta : deltas) {
            if (delta.fromSequence() > reached + 1) {
                throw new IOException("of writer " + writer() + " the changes " + (reached + 1) + " to "
                        + (delta.fromSequence() - 1) + " are missing");
            }
            reached = Math.max(reached, delta.toSequence());
        }
    }

    private void apply(DeltaRef delta, byte[] plain) throws IOException, RocksDBException, ClosedStore {
        Opened open = opened();
        ChangeStore.Bringing bringing = open.changes().new Bringing();
        long[] reached = {delta.fromSequence() - 1};
        DeltaFormat.read(new ByteArrayInputStream(plain), plain.length, batch -> {
            try {
                bringing.add(batch.sequence(), batch.changes());
            } catch (RocksDBException | ClosedStore e) {
                throw new IOException("changes cannot be written: " + e.getMessage(), e);
            }
            reached[0] = batch.sequence() + batch.span() - 1;
            return true;
        });
        if (reached[0] < delta.toSequence()) {
            throw new IOException(delta.blob().name() + " ends before it says it does");
        }
        if (bringing.end(delta.blob().sha256())) {
            withDictionaries(open.changes(), open.reading());
        }
    }

    private Opened opened() {
        Opened open = opened;
        if (open == null) {
            throw new IllegalStateException("not opened yet");
        }
        return open;
    }

    /** What was committed while the snapshot was taken stands in its log only. */
    private void bringLogs(TableRanges ranges, Path files)
            throws BlobException, IOException, RocksDBException, ClosedStore {
        for (FileRef file : plan.files()) {
            Opened open = opened();
            if (file.file().endsWith(".log") && !open.changes().has(file.blob().sha256())) {
                Path path = files.resolve(file.file());
                download.file(file.blob(), path);
                ChangeStore.Bringing bringing = open.changes().new Bringing();
                LogRecords.read(path, record -> {
                    if (record.length < BATCH_HEADER) {
                        throw new IOException(file.blob().name() + " holds a batch that cannot be");
                    }
                    long sequence = ByteBuffer.wrap(record)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong();
                    try (WriteBatch batch = new WriteBatch(record);
                            StoreLog.Changes changes = new StoreLog.Changes(ranges.families())) {
                        batch.iterate(changes);
                        bringing.add(sequence, changes.found());
                    } catch (RocksDBException | ClosedStore e) {
                        throw new IOException("changes cannot be taken out of a log: " + e.getMessage(), e);
                    }
                });
                if (bringing.end(file.blob().sha256())) {
                    withDictionaries(open.changes(), open.reading());
                }
            }
        }
    }

    /** What is known of a key now; asks for what has to come here to know more. */
    Found look(byte[] hash) {
        CompletableFuture<Void> more = step; // Before anything is looked at: what comes afterwards is told.
        String ended = over;
        if (!ended.isEmpty()) {
            return new Found(null, ended, null);
        }
        try {
            return look(hash, more);
        } catch (RocksDBException e) {
            if (Opening.isCorruption(e)) {
                unreadable.incrementAndGet();
                return Found.NOTHING;
            }
            return new Found(null, "what came out of the repository cannot be read: " + e.getMessage(), null);
        } catch (ChangeStore.SpoiltException e) {
            return new Found(null, String.valueOf(e.getMessage()), null);
        } catch (ClosedStore e) {
            return new Found(null, "the backup tier is closed", null);
        }
    }

    private Found look(byte[] hash, CompletableFuture<Void> more)
            throws RocksDBException, ClosedStore, ChangeStore.SpoiltException {
        boolean allChanges = complete;
        long from = changesFrom; // Before the changes: a newer one that comes meanwhile would make an older one count.
        Opened open = opened;
        if (open == null || !hasTables) {
            return notYet(more);
        }
        ChangeStore.Change change = open.changes().newest(hash);
        if (change != null && (allChanges || change.sequence() >= from)) {
            Records.Reading reading = open.records().read(hash, change.record());
            return reading == Records.Flaw.UNKNOWN_DICTIONARY && !allChanges ? notYet(more) : read(reading);
        }
        if (!allChanges) {
            return notYet(more);
        }
        RemoteTable lacking = null;
        for (RemoteTable table : tables) {
            if (table.covers(hash) && !table.isHere()) {
                table.ask(fetcher, Fetcher.Urgency.AWAITED);
                lacking = lacking == null ? table : lacking;
            }
        }
        for (RemoteTable table : tables) {
            if (!table.covers(hash)) {
                continue;
            }
            CompletableFuture<Boolean> arrival = table.arrival();
            if (!table.isHere()) {
                String why = table.troubleNow();
                return why.isEmpty() ? new Found(null, "being restored", arrival) : new Found(null, why, null);
            }
            byte[] record;
            try {
                record = table.find(hash);
            } catch (NotHereException notAnyMore) {
                table.ask(fetcher, Fetcher.Urgency.AWAITED);
                return new Found(null, String.valueOf(notAnyMore.getMessage()), table.arrival());
            }
            if (record != null) {
                return read(open.records().read(hash, record));
            }
        }
        return Found.NOTHING;
    }

    private Found notYet(CompletableFuture<Void> more) {
        String why = trouble;
        return why.isEmpty() ? new Found(null, "being restored", more) : new Found(null, why, null);
    }

    private Found read(Records.Reading reading) {
        if (reading instanceof Records.Sound sound) {
            return Found.of(sound.entry());
        }
        unreadable.incrementAndGet();
        return Found.NOTHING;
    }

    /** Whether it is known without any table file that there is no such marker, which never expires where there is one. */
    boolean hasNoMarker(byte[] hash) {
        Opened open = opened;
        try {
            return complete
                    && open != null
                    && open.changes().newest(hash) == null
                    && open.changes().isNotKept(hash);
        } catch (RocksDBException | ClosedStore | ChangeStore.SpoiltException e) {
            return false; // Then it is looked up like any key, and says why it cannot be.
        }
    }

    /** The entry of a record; null, counted, when it cannot be believed. */
    @Nullable
    Entry open(Stored stored) {
        return read(opened().records().read(stored.hash(), stored.record())).entry();
    }

    /** Asks for everything that may hold something between two hashes. Returns why that cannot be had now; empty when it is here or on its way. */
    String ask(byte[] from, byte @Nullable [] to) {
        for (RemoteTable table : tables) {
            if (table.overlaps(from, to) && !table.isHere()) {
                String why = table.troubleNow();
                if (!why.isEmpty()) {
                    return why;
                }
                table.ask(fetcher, Fetcher.Urgency.SOMETIME);
            }
        }
        return "";
    }

    /** What is still on its way between two hashes; null when all is here. */
    @Nullable
    CompletableFuture<Boolean> onItsWay(byte[] from, byte @Nullable [] to) {
        for (RemoteTable table : tables) {
            CompletableFuture<Boolean> arrival = table.arrival();
            if (table.overlaps(from, to) && !table.isHere()) {
                return arrival;
            }
        }
        return null;
    }

    /**
     * The newest copy of each key between two hashes; closed by who walks.
     *
     * @throws NotHereException when not all of it is here
     */
    SortedCopies copies(byte[] from, byte @Nullable [] to) throws IOException, RocksDBException, ClosedStore {
        if (!complete) {
            throw new NotHereException(trouble.isEmpty() ? "changes are still being restored" : trouble);
        }
        List<RemoteTable> touched =
                tables.stream().filter(table -> table.overlaps(from, to)).toList();
        for (RemoteTable table : touched) {
            if (!table.isHere()) {
                throw new NotHereException(table.trouble());
            }
        }
        return SortedCopies.of(touched, List.of(opened().changes().stream(from, to)), from, to);
    }

    /**
     * It is not asked any more, because another takes its place. Nobody walks through it any more.
     *
     * @return whether nothing writes to its files any more either; until then the other one cannot begin
     */
    boolean retire(String why) {
        over = why;
        tables.forEach(RemoteTable::close);
        forward();
        return tables.stream().noneMatch(RemoteTable::isUnderWay);
    }

    /** Whether it is not asked any more, because another is to take its place. */
    boolean isOver() {
        return !over.isEmpty();
    }

    /** Closes it after it was {@linkplain #retire retired}; what cannot be read is removed. */
    void discard() throws IOException {
        boolean spoilt = isSpoilt();
        close();
        if (spoilt) {
            Folders.delete(changesOfThisPlan());
        }
    }

    /** When nobody walks through it any more. */
    @Override
    public void close() {
        tables.forEach(RemoteTable::close);
        Opened open = opened;
        if (open != null) {
            open.dictionaries().close();
            open.reading().close();
            open.changes().close();
        }
        failed("the backup tier is closed");
    }
}
