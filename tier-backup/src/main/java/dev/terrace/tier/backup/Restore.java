package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Throttle;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.WholeState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
    private static final int DOWNLOADS = 4;

    /** Where chosen entries are merged. */
    private static final String CHOSEN = "chosen";

    private final BlobStore store;
    private final BackupStorageSettings settings;
    private final TierContext context;
    private final Path into;
    private final @Nullable RecipientKey own;
    private Throttle throttle = new Throttle(0, System::nanoTime);
    private boolean merging;
    private boolean acceptsLoss;
    private final List<String> lost = new ArrayList<>();
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
     * @param merged entries that came from other writers than the first, or were chosen, or came into a folder that was there
     * @param expired of these, how many were left out because their time is over
     * @param unreadable of these, how many could not be believed, or their key was destroyed
     * @param throughMillis everything committed up to this moment is there, by the clock of the writer that is behind most
     * @param lost what was in the way of a newer state, for people; empty unless loss was accepted
     */
    public record Report(
            int writers,
            long bytes,
            long batches,
            long merged,
            long expired,
            long unreadable,
            long throughMillis,
            List<String> lost) {
        /** Copies. */
        public Report {
            lost = List.copyOf(lost);
        }
    }

    /**
     * A folder of L3 that exists, and that nobody has open, is kept and merged into: of each key the newer version stays. It changes in one
     * step at the end. Without this, it is refused.
     */
    public Restore merging() {
        merging = true;
        return this;
    }

    /**
     * Where something is lost or damaged, a writer's newest state before it that is whole is restored. Everything is read once more for that,
     * before the download.
     */
    public Restore acceptingLoss() {
        acceptsLoss = true;
        return this;
    }

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
        boolean isMerge = merging && Files.exists(into.resolve(Folder.MARKER));
        if (isMerge) {
            // Before anything is downloaded: whether it is free, and such a folder.
            Folder.take(Folder.Kind.BACKUP, into, settings.encryption()).close();
        }
        BackupRepository repository = new BackupRepository(store, settings, context.clock());
        List<RestorePlan> plans = plans(repository, asOf);
        plans.forEach(this::requireKey);
        bytes = plans.stream().mapToLong(RestorePlan::bytes).sum();
        Files.createDirectories(into);
        if (!isMerge && !Files.exists(parts)) {
            requireEmpty(parts); // Before anything is made in it.
        }
        Files.createDirectories(parts);
        // Two at once would take each other's files for what an earlier try left.
        OwnerLock alone = OwnerLock.take("the folder of a restore", parts.resolve(Folder.OWNER));
        try {
            begin(parts, plans, isMerge, everything);
            Merged done = bringTogether(repository, parts, plans, isMerge, wanted, everything, progress);
            if (isMerge && everything && asOf == null) {
                endLiveRestore();
            }
            return new Report(
                    plans.size(),
                    bytes,
                    done.batches(),
                    done.outcome().written(),
                    done.outcome().expired(),
                    done.outcome().unreadable(),
                    plans.stream()
                            .mapToLong(plan -> plan.segment().throughMillis())
                            .min()
                            .orElseThrow(),
                    lost);
        } finally {
            alone.close();
        }
    }

    /** All that a restore under a node that serves would have brought is there. */
    private void endLiveRestore() throws IOException {
        if (Files.exists(into.resolve(RestoreNote.FILE))) {
            Folder own = Folder.take(Folder.Kind.BACKUP, into, settings.encryption());
            try {
                RestoreNote.remove(into);
            } finally {
                own.close();
            }
        }
    }

    private record Merged(long batches, Merge.Outcome outcome) {}

    private Merged bringTogether(
            BackupRepository repository,
            Path parts,
            List<RestorePlan> plans,
            boolean isMerge,
            Predicate<Entry> wanted,
            boolean everything,
            LongConsumer progress)
            throws BlobException, IOException {
        // When the database was moved there already, a run before this one was killed at its very end.
        boolean isMoved = !isMerge && Files.exists(into.resolve(Folder.DATABASE));
        long batches = isMoved ? 0 : download(repository, parts, plans, progress);
        Merge.Outcome merged = Merge.Outcome.NOTHING;
        if (isMerge) {
            merged = merge(parts, into, plans, wanted);
            remove(parts);
        } else if (isMoved) {
            finish(parts, into);
        } else {
            Path base = base(parts, plans, everything);
            if (plans.size() > 1 || !everything) {
                merged = merge(parts, base, plans, wanted);
            }
            finish(parts, base);
        }
        return new Merged(batches, merged);
    }

    /** What says that somebody is at it goes last. */
    private static void remove(Path parts) throws IOException {
        try (Stream<Path> children = Files.list(parts)) {
            for (Path child : children.toList()) {
                if (!child.endsWith(Folder.OWNER)) {
                    Folders.delete(child);
                }
            }
        }
        Folders.delete(parts);
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

    private long download(BackupRepository repository, Path parts, List<RestorePlan> plans, LongConsumer progress)
            throws BlobException, IOException {
        ExecutorService pool = Executors.newFixedThreadPool(DOWNLOADS, task -> {
            Thread thread = new Thread(task, "terrace-l3-download");
            thread.setDaemon(true);
            return thread;
        });
        try {
            long batches = 0;
            long before = 0;
            for (RestorePlan plan : plans) {
                long inPlace = before;
                batches += build(repository, parts, plan, pool, done -> progress.accept(inPlace + done));
                before += plan.bytes();
                progress.accept(before);
            }
            return batches;
        } finally {
            pool.shutdownNow();
        }
    }

    /** No faster than this; 0 for no limit. A limit of the store's own counts as well. */
    public Restore atMost(long bytesPerSecond) {
        throttle = new Throttle(bytesPerSecond, System::nanoTime);
        return this;
    }

    /** How much has to be in place at the end; 0 until that is known. */
    public long bytes() {
        return bytes;
    }

    /** The writer with the most bytes first: the others are merged into its folder. */
    private List<RestorePlan> plans(BackupRepository repository, @Nullable Instant asOf)
            throws BlobException, DamagedException, IOException {
        List<RestorePlan> plans = new ArrayList<>();
        int writers = repository.writers();
        for (int writer = 1; writer <= writers; writer++) {
            plan(repository.of(writer), writer, asOf).ifPresent(plans::add);
        }
        if (plans.isEmpty()) {
            throw lost.isEmpty()
                    ? RestorePlan.nothing(asOf)
                    : new SetupException(
                            "nothing is whole that could be restored; the first thing that is wrong: " + lost.get(0),
                            "terrace backup verify names everything that is wrong");
        }
        plans.sort(Comparator.comparingLong(RestorePlan::bytes).reversed());
        return plans;
    }

    private Optional<RestorePlan> plan(Repository repository, int writer, @Nullable Instant asOf)
            throws BlobException, DamagedException {
        if (!acceptsLoss) {
            return RestorePlan.of(repository.chain(writer), asOf);
        }
        WholeState.Found found = WholeState.newest(repository, writer, asOf, read -> {});
        lost.addAll(found.lost());
        return Optional.ofNullable(found.state()).map(whole -> RestorePlan.of(writer, whole, asOf));
    }

    private void begin(Path parts, List<RestorePlan> plans, boolean isMerge, boolean everything) throws IOException {
        String text = plans.stream()
                .map(RestorePlan::text)
                .collect(Collectors.joining("\n", "", everything ? "\n" : "\nchosen\n"));
        Path planned = parts.resolve(PLAN);
        Optional<String> begun = read(planned);
        // What was chosen before may not be what is chosen now.
        boolean goesOn = everything || isMerge || !Files.exists(into.resolve(Folder.DATABASE));
        if (goesOn && begun.isPresent() && begun.get().equals(text)) {
            return;
        }
        if (!isMerge) {
            if (begun.isPresent() && !Files.exists(into.resolve(Folder.MARKER))) {
                // Moved there by a run that was killed at its very end, and not what is wanted now.
                Folders.delete(into.resolve(Folder.DATABASE));
                Files.deleteIfExists(into.resolve(Folder.KEYS));
            }
            requireEmpty(parts);
        }
        // Another moment, or the repository has gone on: files that are the same are found again by content.
        Atomically.write(planned, text.getBytes(StandardCharsets.US_ASCII));
    }

    private void requireEmpty(Path parts) throws IOException {
        try (Stream<Path> children = Files.list(into)) {
            Optional<Path> other = children.filter(child -> !child.equals(parts) && !child.endsWith("lost+found"))
                    .findFirst();
            if (other.isPresent()) {
                throw new SetupException(
                        into + " is not empty, it holds " + other.get().getFileName() + "; nothing was changed",
                        Files.exists(into.resolve(Folder.MARKER))
                                ? "merge into it (--merge: newer versions stay), name an empty folder, or move this one aside"
                                : "name an empty folder, or move this one aside");
            }
        }
    }

    private static Optional<String> read(Path file) throws IOException {
        try {
            return Optional.of(Files.readString(file, StandardCharsets.US_ASCII));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private long build(
            BackupRepository repository, Path parts, RestorePlan plan, ExecutorService pool, LongConsumer progress)
            throws BlobException, IOException {
        Path folder = parts.resolve(Integer.toString(plan.writer()));
        Path done = parts.resolve(plan.writer() + ".done");
        if (read(done).orElse("").equals(plan.text())) {
            return 0;
        }
        Files.deleteIfExists(done);
        Files.createDirectories(folder);
        Files.deleteIfExists(folder.resolve(Folder.MARKER));
        byte[] keys = repository.keys(plan.writer());
        if (keys != null) {
            Path ring = folder.resolve(Folder.KEYS);
            Atomically.write(ring, keys);
            KeyRing.open(ring, settings, context.clock()).keepAnew();
        }
        Unsealing unsealing = new Unsealing(folder.resolve("unsealed"), own);
        Download download = new Download(store, unsealing, throttle, progress);
        long batches;
        try {
            batches = new PartRestore(plan, folder, unsealing, download, pool).run();
        } catch (RocksDBException e) {
            throw new IOException("the restored database cannot be opened: " + e.getMessage(), e);
        }
        Atomically.write(folder.resolve(Folder.MARKER), Folder.form(Folder.Kind.BACKUP, keys != null));
        Atomically.write(done, plan.text().getBytes(StandardCharsets.US_ASCII));
        return batches;
    }

    /** Into the first folder that is as the settings say; none is when chosen entries, or a folder of its own, are asked for. */
    private Merge.Outcome merge(Path parts, Path base, List<RestorePlan> plans, Predicate<Entry> wanted)
            throws IOException {
        List<Path> others = plans.stream()
                .map(plan -> part(parts, plan))
                .filter(folder -> !folder.equals(base))
                .toList();
        return Merge.of(
                settings.withPath(base),
                others,
                // Markers hide entries of the caches that are wanted.
                entry -> wanted.test(entry) || Keeper.isReserved(entry.key()),
                parts.resolve("merging"),
                context.clock());
    }

    private static Path part(Path parts, RestorePlan plan) {
        return parts.resolve(Integer.toString(plan.writer()));
    }

    /** Where all comes together: one writer's folder as it is, or a new one with that writer's keys. */
    private Path base(Path parts, List<RestorePlan> plans, boolean everything) throws IOException {
        for (RestorePlan plan : plans) {
            Path folder = part(parts, plan);
            if (everything && (plans.size() == 1 || isEncrypted(folder) == settings.encryption())) {
                return folder;
            }
        }
        Path chosen = parts.resolve(CHOSEN);
        Folders.delete(chosen); // Another run may have chosen other entries.
        Path keys = plans.stream()
                .map(plan -> part(parts, plan))
                .filter(Restore::isEncrypted)
                .map(folder -> folder.resolve(Folder.KEYS))
                .findFirst()
                .orElse(null);
        if (keys != null || !settings.encryption()) {
            MergeTarget.begin(chosen, keys);
        }
        return chosen;
    }

    private static boolean isEncrypted(Path folder) {
        return Files.exists(folder.resolve(Folder.KEYS));
    }

    /** Killed at any step, it can be done again: the keys stay where they were until all is in place. */
    private void finish(Path parts, Path base) throws IOException {
        if (!base.equals(into)) {
            if (isEncrypted(base)) {
                Atomically.write(into.resolve(Folder.KEYS), Files.readAllBytes(base.resolve(Folder.KEYS)));
            }
            Files.move(base.resolve(Folder.DATABASE), into.resolve(Folder.DATABASE));
        }
        Atomically.write(
                into.resolve(Folder.MARKER),
                Folder.restored(isEncrypted(into), context.clock().millis()));
        remove(parts);
    }
}
