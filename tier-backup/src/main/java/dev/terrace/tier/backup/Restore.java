package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Restores a folder of L3 from a repository: the newest state of every writer, or the state at one moment, merged by version. The folder
 * counts as a backup tier's only when all is done; killed anywhere and run again, it goes on. For one thread. Memory: 100 MiB of RocksDB's, one delta, some
 * buffers.
 */
public final class Restore {
    private static final String PARTS = "restoring";
    private static final String PLAN = "PLAN";

    /** Where chosen entries are merged. */
    private static final String CHOSEN = "chosen";

    private static final int MERGED_AT_ONCE = 256;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final BlobStore store;
    private final BackupStorageSettings settings;
    private final TierContext context;
    private final Path into;
    private final @Nullable RecipientKey own;
    private volatile long bytes;

    /**
     * @param store the repository's
     * @param settings whose keys open what is restored
     * @param context for the tiers that are opened to merge several writers
     * @param into the folder; empty, or one that an interrupted restore of the same left
     */
    public Restore(BlobStore store, BackupStorageSettings settings, TierContext context, Path into) {
        this(store, settings, context, into, null);
    }

    /**
     * As the other one, with a private key.
     *
     * @param own opens what was sealed; null for none
     */
    public Restore(
            BlobStore store,
            BackupStorageSettings settings,
            TierContext context,
            Path into,
            @Nullable RecipientKey own) {
        this.own = own;
        this.store = store;
        this.settings = settings;
        this.context = context;
        this.into = into;
    }

    /**
     * What was done.
     *
     * @param writers how many were merged
     * @param bytes how much was needed
     * @param batches changes after the snapshots
     * @param merged entries of other writers than the first
     * @param throughMillis everything committed up to this moment is there, by the clock of the writer that is behind most
     */
    public record Report(int writers, long bytes, long batches, long merged, long throughMillis) {}

    /**
     * Restores.
     *
     * @param asOf the moment; null for the newest state
     * @param wanted which entries
     * @param everything whether {@code wanted} takes all
     * @param progress told the bytes that are in place
     * @throws SetupException when the folder is not empty, or there is nothing to restore
     */
    public Report run(@Nullable Instant asOf, Predicate<Entry> wanted, boolean everything, LongConsumer progress)
            throws BlobException, DamagedException, IOException {
        Path parts = into.resolve(PARTS);
        Files.createDirectories(into);
        BackupRepository repository = new BackupRepository(store, settings, context.clock());
        List<RestorePlan> plans = plans(repository, asOf);
        plans.forEach(this::requireKey);
        bytes = plans.stream().mapToLong(RestorePlan::bytes).sum();
        begin(parts, plans);
        long batches = 0;
        long merged = 0;
        Path base = parts.resolve(everything ? Integer.toString(plans.get(0).writer()) : CHOSEN);
        // When the database was moved there already, a run before this one was killed at its very end.
        if (!Files.exists(into.resolve(Folder.DATABASE))) {
            long before = 0;
            for (RestorePlan plan : plans) {
                long inPlace = before;
                batches += build(repository, parts, plan, done -> progress.accept(inPlace + done));
                before += plan.bytes();
            }
            if (!everything) {
                Folders.delete(base); // Another run may have chosen other entries.
            }
            if (plans.size() > 1 || !everything) {
                merged = merge(parts, base, plans, everything, wanted);
            }
        }
        finish(parts, base);
        return new Report(
                plans.size(),
                bytes,
                batches,
                merged,
                plans.stream()
                        .mapToLong(plan -> plan.segment().throughMillis())
                        .min()
                        .orElseThrow());
    }

    private void requireKey(RestorePlan plan) {
        if (own == null) {
            Stream.concat(
                            plan.files().stream().map(FileRef::blob),
                            plan.deltas().stream().map(DeltaRef::blob))
                    .filter(BlobRef::isSealed)
                    .findFirst()
                    .ifPresent(blob -> {
                        throw Unsealing.keyIsMissing(blob);
                    });
        }
    }

    /** How much has to be in place at the end; 0 until that is known. */
    public long bytes() {
        return bytes;
    }

    /** The writer with the most bytes first: the others are merged into its folder. */
    private List<RestorePlan> plans(BackupRepository repository, @Nullable Instant asOf)
            throws BlobException, DamagedException, IOException {
        List<RestorePlan> plans = new ArrayList<>();
        for (int writer = 1; writer <= repository.writers(); writer++) {
            RestorePlan.of(repository.of(writer).chain(writer), asOf).ifPresent(plans::add);
        }
        if (plans.isEmpty()) {
            throw RestorePlan.nothing(asOf);
        }
        plans.sort(Comparator.comparingLong(RestorePlan::bytes).reversed());
        return plans;
    }

    private void begin(Path parts, List<RestorePlan> plans) throws IOException {
        String text = plans.stream().map(RestorePlan::text).collect(Collectors.joining("\n", "", "\n"));
        Path planned = parts.resolve(PLAN);
        String begun = read(planned).orElse("");
        if (begun.equals(text)) {
            return;
        }
        try (Stream<Path> children = Files.list(into)) {
            Optional<Path> other = children.filter(child -> !child.equals(parts) && !child.endsWith("lost+found"))
                    .findFirst();
            if (other.isPresent()) {
                throw new SetupException(
                        into + " is not empty, it holds " + other.get().getFileName() + "; nothing was changed",
                        "name an empty folder, or move this one aside");
            }
        }
        // Another moment, or the repository has gone on: files that are the same are found again by content.
        Files.createDirectories(parts);
        Atomically.write(planned, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static Optional<String> read(Path file) throws IOException {
        try {
            return Optional.of(Files.readString(file, StandardCharsets.US_ASCII));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private long build(BackupRepository repository, Path parts, RestorePlan plan, LongConsumer progress)
            throws BlobException, IOException {
        Path folder = parts.resolve(Integer.toString(plan.writer()));
        Path done = parts.resolve(plan.writer() + ".done");
        if (read(done).orElse("").equals(plan.text())) {
            progress.accept(plan.bytes());
            return 0;
        }
        Files.deleteIfExists(done);
        Files.createDirectories(folder);
        Files.deleteIfExists(folder.resolve(Folder.MARKER));
        byte[] keys = repository.keys(plan.writer());
        if (keys != null) {
            Atomically.write(folder.resolve(Folder.KEYS), keys);
        }
        long batches;
        try {
            batches = new PartRestore(store, plan, folder, own, progress).run();
        } catch (RocksDBException e) {
            throw new IOException("the restored database cannot be opened: " + e.getMessage(), e);
        }
        Atomically.write(folder.resolve(Folder.MARKER), Folder.form(Folder.Kind.BACKUP, keys != null));
        Atomically.write(done, plan.text().getBytes(StandardCharsets.US_ASCII));
        return batches;
    }

    /** By version, tombstones and markers like everything else: whatever the order, the newest stays. */
    private long merge(Path parts, Path base, List<RestorePlan> plans, boolean everything, Predicate<Entry> wanted)
            throws IOException {
        long merged = 0;
        RocksTier target = open(base);
        try {
            for (RestorePlan plan : plans) {
                Path folder = parts.resolve(Integer.toString(plan.writer()));
                if (!folder.equals(base)) {
                    RocksTier source = open(folder);
                    try {
                        merged += copy(source, target, everything ? entry -> true : wanted);
                    } finally {
                        source.close();
                    }
                }
            }
        } finally {
            target.close();
        }
        return merged;
    }

    private RocksTier open(Path folder) {
        BackupStorageSettings there = settings.withPath(folder).withObjectStorage(null); // It ships nothing.
        return RocksTierProvider.tier(new OtherSettings(context, there));
    }

    private static long copy(RocksTier source, RocksTier target, Predicate<Entry> wanted) throws IOException {
        long copied = 0;
        List<Entry> batch = new ArrayList<>();
        try {
            Vault vault = source.vault();
            List<Long> oldestFirst = new ArrayList<>(vault.store().sequences());
            oldestFirst.sort(Comparator.naturalOrder());
            for (long partition : oldestFirst) {
                byte[] from = new byte[KeyHash.BYTES];
                while (from != null) {
                    PartitionedStore.Slice slice = vault.store().slice(partition, from, MERGED_AT_ONCE);
                    for (PartitionedStore.Stored stored : slice.records()) {
                        Entry entry = vault.open(stored);
                        if (entry != null && wanted.test(entry)) {
                            batch.add(entry);
                        }
                    }
                    copied += put(target, batch);
                    batch.clear();
                    from = slice.next();
                }
            }
        } catch (RocksDBException | PartitionedStore.ClosedStore e) {
            throw new IOException("a restored database cannot be read: " + e.getMessage(), e);
        }
        return copied;
    }

    private static long put(RocksTier target, List<Entry> batch) throws IOException {
        if (batch.isEmpty()) {
            return 0;
        }
        try {
            List<StoreOutcome> outcomes =
                    target.putAll(batch).toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            for (StoreOutcome outcome : outcomes) {
                if (!(outcome instanceof StoreOutcome.Applied) && !(outcome instanceof StoreOutcome.Superseded)) {
                    throw new IOException("a restored entry cannot be written: " + outcome);
                }
            }
            return outcomes.size();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("restored entries cannot be written", e);
        }
    }

    private void finish(Path parts, Path base) throws IOException {
        for (String name : List.of(Folder.KEYS, Folder.DATABASE)) {
            if (Files.exists(base.resolve(name))) {
                Files.move(base.resolve(name), into.resolve(name));
            }
        }
        boolean encrypted = Files.exists(into.resolve(Folder.KEYS));
        Atomically.write(into.resolve(Folder.MARKER), Folder.form(Folder.Kind.BACKUP, encrypted));
        Folders.delete(parts);
    }
}
