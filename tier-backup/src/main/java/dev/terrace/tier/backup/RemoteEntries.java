package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Entry;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Throttle;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.RemoteFolder.Found;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the writers of a repository have published, key by key, before all of it is here: the newest copy over all writers. Thread-safe; planning and
 * what follows from it ({@link #plan}, {@link #take}, {@link #successor}, {@link #replace}) is for one thread.
 */
final class RemoteEntries implements AutoCloseable {
    /** More than this do not wait at a time; each is answered at the latest when its patience is over. */
    private static final int MOST_WAITING = 10_000;

    private static final int LOOKUPS = 2;
    private static final String ANOTHER = "its folder in the repository is being read anew";

    private final TierContext context;
    private final BackupStorageSettings settings;
    private final Path work;
    /** Where lookups go on that had to wait; its queue is bounded by those that may wait. */
    private final ThreadPoolExecutor lookups = new ThreadPoolExecutor(
            LOOKUPS,
            LOOKUPS,
            5,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> Records.thread(task, "terrace-l3-lookup"));

    private final Fetcher fetcher = new Fetcher();
    private final Deadlines deadlines;
    private final Semaphore waiting = new Semaphore(MOST_WAITING);
    private final CompletableFuture<Void> connected = new CompletableFuture<>();
    private @Nullable BlobStore store;
    private volatile List<RemoteFolder> folders = List.of();
    private volatile String trouble = "";
    private volatile boolean closed;

    /**
     * Reads nothing yet.
     *
     * @param work a folder for nobody else; what an earlier process brought there is used
     * @param patienceMillis how long a lookup waits for what it needs
     */
    RemoteEntries(TierContext context, BackupStorageSettings settings, Path work, long patienceMillis) {
        this.context = context;
        this.settings = settings;
        this.work = work;
        lookups.allowCoreThreadTimeOut(true);
        this.deadlines = new Deadlines("terrace-l3-restore-deadlines", patienceMillis);
    }

    /**
     * Finds out what there is. Can be called again after it has failed.
     *
     * @param wanted which writers
     */
    List<RemoteFolder> plan(IntPredicate wanted) throws BlobException, DamagedException, IOException {
        try {
            Files.createDirectories(work);
            BlobStore open = open();
            BackupRepository repository = new BackupRepository(open, settings, context.clock());
            List<RemoteFolder> found = new ArrayList<>();
            int writers = repository.writers();
            for (int writer = 1; writer <= writers; writer++) {
                if (wanted.test(writer)) {
                    RestorePlan plan = RestorePlan.of(repository.of(writer).chain(writer), null)
                            .orElse(null);
                    // Again: this folder itself may have become a writer meanwhile.
                    if (plan != null && wanted.test(writer)) {
                        found.add(folder(open, repository, plan));
                    }
                }
            }
            return found;
        } catch (BlobException | DamagedException | IOException | RuntimeException e) {
            trouble = String.valueOf(e.getMessage());
            throw e;
        }
    }

    private BlobStore open() throws BlobException {
        ObjectStorageSettings storage = settings.objectStorage();
        if (storage == null) {
            throw new SetupException("there is no backup repository", "set backup_storage.object_storage.url");
        }
        BlobStore open = store;
        if (open == null) {
            open = BackupRepository.open(storage.url(), context);
            store = open;
        }
        return open;
    }

    /** From now on these are asked. */
    void take(List<RemoteFolder> found) {
        folders = List.copyOf(found);
        trouble = "";
        connected.complete(null);
    }

    /**
     * What is to take the place of a folder that cannot come here as planned: one of a newer plan when what it needs was taken out of the repository meanwhile,
     * one of the same plan when what had come is damaged here. The old one is not asked any more then.
     *
     * @return null when the old one stays, perhaps only until what is on its way has ended
     */
    @Nullable
    RemoteFolder successor(RemoteFolder old) throws BlobException, DamagedException, IOException {
        BlobStore open = open();
        BackupRepository repository = new BackupRepository(open, settings, context.clock());
        RestorePlan plan = old.plan();
        if (!old.isSpoilt()) {
            RestorePlan newest = RestorePlan.of(repository.of(old.writer()).chain(old.writer()), null)
                    .orElse(null);
            if (newest == null || !old.isOver() && newest.needs(old.absent())) {
                return null; // Lost, not pruned: it may be put back.
            }
            plan = newest;
        }
        RemoteFolder next = folder(open, repository, plan);
        return old.retire(ANOTHER) ? next : null;
    }

    /** From now on {@code next} is asked. */
    void replace(RemoteFolder old, RemoteFolder next) {
        folders = folders.stream().map(one -> one == old ? next : one).toList();
    }

    private RemoteFolder folder(BlobStore open, BackupRepository repository, RestorePlan plan)
            throws BlobException, IOException {
        Stream.concat(
                        plan.files().stream().map(FileRef::blob),
                        plan.deltas().stream().map(DeltaRef::blob))
                .filter(BlobRef::isSealed)
                .findFirst()
                .ifPresent(blob -> {
                    throw Unsealing.keyIsMissing(blob);
                });
        byte[] keys = repository.keys(plan.writer());
        KeyRing ring =
                keys == null ? null : KeyRing.open(keys, Path.of("keys/" + plan.writer()), settings, context.clock());
        Path own = work.resolve(Integer.toString(plan.writer()));
        Download download = new Download(
                open, new Unsealing(own.resolve("unsealed"), null), new Throttle(0, System::nanoTime), done -> {});
        return new RemoteFolder(plan, settings, context.clock(), own, download, fetcher, ring);
    }

    boolean isConnected() {
        return connected.isDone();
    }

    List<RemoteFolder> folders() {
        return folders;
    }

    /** How much there is in the repository; 0 before that is known. */
    long bytes() {
        return folders.stream().mapToLong(one -> one.plan().bytes()).sum();
    }

    /** How much of it has come. */
    long bytesHere() {
        return folders.stream().mapToLong(RemoteFolder::bytesHere).sum();
    }

    /** Why something cannot be had; empty when all goes well. */
    String trouble() {
        String own = trouble;
        return own.isEmpty()
                ? folders.stream()
                        .map(RemoteFolder::trouble)
                        .filter(why -> !why.isEmpty())
                        .findFirst()
                        .orElse("")
                : own;
    }

    /** The newest copy, over the folders that {@code wanted} takes for the key's hash there. Never fails; waits as long as its patience lasts. */
    CompletionStage<Found> find(CacheKey key, BiPredicate<RemoteFolder, byte[]> wanted) {
        Found now = look(key, wanted);
        if (now.until() == null) {
            return CompletableFuture.completedStage(now);
        }
        CompletableFuture<Found> answer = new CompletableFuture<>();
        again(key, wanted, now, answer);
        return deadlines.watch(answer, () -> new Found(null, now.unknown(), null));
    }

    private void again(
            CacheKey key, BiPredicate<RemoteFolder, byte[]> wanted, Found before, CompletableFuture<Found> answer) {
        CompletableFuture<?> until = before.until();
        if (until == null) {
            answer.complete(before);
            return;
        }
        if (!waiting.tryAcquire()) {
            answer.complete(new Found(null, MOST_WAITING + " reads wait for the restore already", null));
            return;
        }
        until.whenCompleteAsync(
                (come, bug) -> {
                    waiting.release();
                    if (!answer.isDone()) {
                        again(key, wanted, look(key, wanted), answer);
                    }
                },
                lookups);
    }

    private Found look(CacheKey key, BiPredicate<RemoteFolder, byte[]> wanted) {
        if (closed) {
            return new Found(null, "the backup tier is closed", null);
        }
        if (!connected.isDone()) {
            String why = trouble;
            return why.isEmpty()
                    ? new Found(null, "the repository is being opened", connected)
                    : new Found(null, why, null);
        }
        Entry newest = null;
        Found open = null;
        for (RemoteFolder folder : folders) {
            byte[] hash = folder.hashOf(key);
            if (!wanted.test(folder, hash)) {
                continue;
            }
            if (MarkerKeys.isForever(key) && folder.hasNoMarker(hash)) {
                continue;
            }
            Found found = folder.look(hash);
            if (!found.unknown().isEmpty()) {
                // One that cannot be had settles it: no need to wait for the others.
                open = open == null || found.until() == null ? found : open;
                continue;
            }
            Entry entry = found.entry();
            if (entry != null
                    && entry.key().equals(key)
                    && (newest == null || entry.version().isNewerThan(newest.version()))) {
                newest = entry;
            }
        }
        return open == null ? Found.of(newest) : open;
    }

    /** The folders of these writers, or of all. */
    Set<Integer> writers() {
        return Set.copyOf(folders.stream().map(RemoteFolder::writer).toList());
    }

    /** Breaks off what is on its way. When nobody walks through a folder any more. */
    @Override
    public void close() {
        closed = true;
        fetcher.close();
        connected.complete(null);
        folders.forEach(RemoteFolder::close);
        lookups.shutdown();
        deadlines.close();
        BlobStore open = store;
        if (open != null) {
            open.close();
        }
    }
}
