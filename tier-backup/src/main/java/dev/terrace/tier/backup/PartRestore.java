package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DeltaFormat;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Builds the folder of one writer from its plan: the snapshot's files as they are, then the changes after it. Every byte is compared
 * with what was signed. Killed anywhere and run again, it goes on with the files that are whole. For one thread.
 */
final class PartRestore {
    private static final int DOWNLOADS = 4;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final String HINTS = "hints";

    private final BlobStore store;
    private final RestorePlan plan;
    private final Path database;
    private final Unsealing unsealing;
    private final LongConsumer progress;
    private final AtomicLong bytes = new AtomicLong();

    PartRestore(BlobStore store, RestorePlan plan, Path folder, @Nullable RecipientKey own, LongConsumer progress) {
        this.store = store;
        this.plan = plan;
        this.database = folder.resolve(Folder.DATABASE);
        this.unsealing = new Unsealing(folder.resolve("unsealed"), own);
        this.progress = progress;
    }

    /** Returns how many batches were applied. */
    long run() throws BlobException, IOException, RocksDBException {
        Files.createDirectories(database);
        removeForeign();
        download();
        unsealing.forget();
        return apply();
    }

    /** What an earlier try's RocksDB made of the files, from its first touch on, is not what was stored. */
    private void removeForeign() throws IOException {
        List<String> wanted = plan.files().stream().map(FileRef::file).toList();
        try (var children = Files.list(database)) {
            for (Path child : children.toList()) {
                if (!wanted.contains(child.getFileName().toString())) {
                    Folders.delete(child);
                }
            }
        }
    }

    private void download() throws BlobException, IOException {
        ExecutorService pool = Executors.newFixedThreadPool(DOWNLOADS, task -> {
            Thread thread = new Thread(task, "terrace-l3-download");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<?>> all = new ArrayList<>();
            for (FileRef file : plan.files()) {
                all.add(pool.submit(() -> {
                    fetch(file);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BlobException failed) {
                throw failed;
            }
            if (e.getCause() instanceof SetupException failed) {
                throw failed;
            }
            throw new IOException("a file could not be restored", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", e);
        } finally {
            pool.shutdownNow();
        }
    }

    private void fetch(FileRef file) throws BlobException, IOException {
        Path target = database.resolve(file.file());
        if (Files.exists(target) && isWhole(file.blob(), target)) {
            add(file.blob().bytes());
            return;
        }
        Path part = database.resolve(file.file() + ".part");
        MessageDigest digest = Sha256.digest();
        try (InputStream in = new DigestInputStream(
                        store.open(file.blob().name(), 0, file.blob().bytes()), digest);
                OutputStream out = Files.newOutputStream(part)) {
            copy(in, out);
        }
        requireSame(file.blob(), Sha256.hex(digest.digest()));
        if (file.blob().isSealed()) {
            unsealing.open(file.blob(), part, target);
            Files.delete(part);
            return;
        }
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            out.write(buffer, 0, read);
            add(read);
        }
    }

    private void add(long more) {
        progress.accept(bytes.addAndGet(more));
    }

    private boolean isWhole(BlobRef blob, Path target) throws IOException {
        return blob.isSealed()
                ? unsealing.wasOpened(blob, target)
                : Files.size(target) == blob.bytes()
                        && Sha256.of(BlobSource.of(target)).equals(blob.sha256());
    }

    private static void requireSame(BlobRef blob, String sha256) throws BlobException {
        if (!sha256.equals(blob.sha256())) {
            throw new BlobException(
                    BlobException.Kind.CORRUPT,
                    blob.name() + " is not what was stored; terrace backup verify says which restore points that hurts",
                    null);
        }
    }

    private long apply() throws BlobException, IOException, RocksDBException {
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try (NativeOptions options = new NativeOptions();
                WriteOptions quick = new WriteOptions().setDisableWAL(true)) {
            List<ColumnFamilyDescriptor> families = options.families(database);
            try (RocksDB opened = RocksDB.open(
                    options.database(WALRecoveryMode.TolerateCorruptedTailRecords, false),
                    database.toString(),
                    families,
                    handles)) {
                Map<String, ColumnFamilyHandle> byName = new HashMap<>();
                for (ColumnFamilyHandle handle : handles) {
                    byName.put(new String(handle.getName(), StandardCharsets.UTF_8), handle);
                }
                Applied applied = new Applied(opened, options, byName, handles, quick);
                for (DeltaRef delta : plan.deltas()) {
                    if (applied.isDone) {
                        break;
                    }
                    applied.apply(delta);
                }
                ColumnFamilyHandle hints = byName.get(HINTS);
                if (hints != null) {
                    opened.dropColumnFamily(hints); // What zones have missed since is another story.
                }
                try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
                    opened.flush(
                            waiting,
                            handles.stream()
                                    .filter(handle -> hints == null || handle.getID() != hints.getID())
                                    .toList());
                }
                handles.forEach(ColumnFamilyHandle::close);
                return applied.batches;
            }
        }
    }

    /** Changes after the snapshot, in order, up to the moment that was asked for. */
    private final class Applied {
        private final RocksDB opened;
        private final NativeOptions options;
        private final Map<String, ColumnFamilyHandle> byName;
        private final List<ColumnFamilyHandle> handles;
        private final WriteOptions quick;
        private long sequence = plan.sequence();
        private long batches;
        private boolean isDone;

        Applied(
                RocksDB opened,
                NativeOptions options,
                Map<String, ColumnFamilyHandle> byName,
                List<ColumnFamilyHandle> handles,
                WriteOptions quick) {
            this.opened = opened;
            this.options = options;
            this.byName = byName;
            this.handles = handles;
            this.quick = quick;
        }

        void apply(DeltaRef delta) throws BlobException, IOException {
            BlobRef blob = delta.blob();
            byte[] all = store.read(blob.name(), Math.toIntExact(blob.bytes()))
                    .orElseThrow(() -> new BlobException(
                            BlobException.Kind.ABSENT,
                            blob.name() + " is gone; terrace backup verify says which restore points that hurts",
                            null));
            requireSame(blob, Sha256.of(all));
            add(all.length);
            byte[] plain = blob.isSealed() ? unsealing.open(blob, all) : all;
            DeltaFormat.read(new ByteArrayInputStream(plain), plain.length, this::apply);
            if (!isDone && sequence < delta.toSequence()) {
                throw new IOException(blob.name() + " ends before it says it does");
            }
        }

        private boolean apply(DeltaFormat.Batch batch) throws IOException {
            long last = batch.sequence() + batch.span() - 1;
            if (last <= sequence) {
                return true;
            }
            if (batch.sequence() > sequence + 1) {
                throw new IOException("changes " + (sequence + 1) + " to " + (batch.sequence() - 1) + " are missing");
            }
            if (plan.asOf() != null && batch.atMillis() > plan.asOf().toEpochMilli()) {
                isDone = true;
                return false;
            }
            try (WriteBatch changes = new WriteBatch()) {
                for (DeltaFormat.Change change : batch.changes()) {
                    byte[] value = change.value();
                    if (value == null) {
                        changes.delete(family(change.family()), change.key());
                    } else {
                        changes.put(family(change.family()), change.key(), value);
                    }
                }
                opened.write(quick, changes);
            } catch (RocksDBException e) {
                throw new IOException("changes cannot be written: " + e.getMessage(), e);
            }
            sequence = last;
            batches++;
            return true;
        }

        private ColumnFamilyHandle family(String name) throws RocksDBException {
            ColumnFamilyHandle known = byName.get(name);
            if (known == null) {
                known = opened.createColumnFamily(
                        new ColumnFamilyDescriptor(name.getBytes(StandardCharsets.UTF_8), options.family()));
                byName.put(name, known);
                handles.add(known);
            }
            return known;
        }
    }
}
