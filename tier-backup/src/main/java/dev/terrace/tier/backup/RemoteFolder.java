package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.repo.FileRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;

/**
 * One writer's folder of L3 as far as it has come out of the repository. The manifest of its database and the changes after the snapshot come first,
 * because any key may be among them; the newest change before older ones, so that what was written last is answered first. Table files follow, those first that
 * somebody waits for. Nothing is read that was not compared with what was signed, and of each key the newest copy counts, readable or not, as in
 * {@link MergeInput}. It is of one plan, and so are the changes that it keeps on the disk; files of an earlier plan are used where they are the same. One thread
 * {@linkplain #prepare prepares}; all else is thread-safe.
 */
final class RemoteFolder implements AutoCloseable {
    private final RestorePlan plan;
    private final Path folder;
    private final Download download;
    private final Fetcher fetcher;
    private final KeyHash names;
    private final RemoteChanges changes;
    private final AtomicLong unreadable = new AtomicLong();
    private volatile boolean hasTables;
    private volatile List<RemoteTable> tables = List.of();
    private volatile String trouble = "";
    /** Why it is not asked any more; empty while it is. */
    private volatile String over = "";

    private volatile CompletableFuture<Void> step = new CompletableFuture<>();

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
        this.folder = folder;
        this.download = download;
        this.fetcher = fetcher;
        this.names = ring == null ? KeyHash.plain() : KeyHash.keyed(ring.indexKey());
        this.changes = new RemoteChanges(plan, settings, clock, folder, download, fetcher, ring, this::forward);
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
        return changes.isSpoilt();
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
        return changes.isWhole() && !isOver();
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
            Options reading = changes.open();
            Path files = Files.createDirectories(folder.resolve("files"));
            plan.removeOthers(files);
            FileRef manifest = plan.files().stream()
                    .filter(file -> file.file().startsWith("MANIFEST-"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("the snapshot of writer " + writer() + " has no manifest"));
            download.file(manifest.blob(), files.resolve(manifest.file()));
            TableRanges ranges = TableRanges.in(files.resolve(manifest.file()));
            if (!hasTables) {
                tables(ranges, files, reading);
            }
            changes.bring(ranges, files);
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

    private void tables(TableRanges ranges, Path files, Options reading) throws IOException {
        List<RemoteTable> found = new ArrayList<>();
        for (FileRef file : plan.files()) {
            if (file.file().endsWith(".sst")) {
                TableRanges.Table table = ranges.of(file.file());
                if (table == null) {
                    throw new IOException("the manifest of writer " + writer() + " does not name " + file.file());
                }
                Partition.Age age = Partition.age(table.family());
                if (age != null) {
                    found.add(new RemoteTable(file, table, age, files.resolve(file.file()), download, reading));
                }
            }
        }
        found.sort(RemoteTable::newestFirst);
        tables = List.copyOf(found);
        hasTables = true;
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
        RemoteChanges.Here here = changes.here();
        if (here == null || !hasTables) {
            return notYet(more);
        }
        byte[] change = here.newest(hash);
        if (change != null) {
            Records.Reading reading = here.records().read(hash, change);
            return reading == Records.Flaw.UNKNOWN_DICTIONARY && !here.isWhole() ? notYet(more) : read(reading);
        }
        if (!here.isWhole()) {
            return notYet(more);
        }
        for (RemoteTable table : tables) {
            if (table.covers(hash) && !table.isHere()) {
                table.ask(fetcher, Fetcher.Urgency.AWAITED);
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
                return read(here.records().read(hash, record));
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
        RemoteChanges.Here here = changes.here();
        try {
            return here != null && here.isNotKept(hash);
        } catch (RocksDBException | ClosedStore | ChangeStore.SpoiltException e) {
            return false; // Then it is looked up like any key, and says why it cannot be.
        }
    }

    /** The entry of a record; null, counted, when it cannot be believed. */
    @Nullable
    Entry open(Stored stored) {
        return read(changes.opened().records().read(stored.hash(), stored.record()))
                .entry();
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
        if (!changes.isWhole()) {
            throw new NotHereException(trouble.isEmpty() ? "changes are still being restored" : trouble);
        }
        List<RemoteTable> touched =
                tables.stream().filter(table -> table.overlaps(from, to)).toList();
        for (RemoteTable table : touched) {
            if (!table.isHere()) {
                throw new NotHereException(table.trouble());
            }
        }
        return SortedCopies.of(touched, List.of(changes.opened().changes().stream(from, to)), from, to);
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
            changes.delete();
        }
    }

    /** When nobody walks through it any more. */
    @Override
    public void close() {
        tables.forEach(RemoteTable::close);
        changes.close();
        failed("the backup tier is closed");
    }
}
