package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.RemoteFolder.Found;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * One round of copying parts of writers' folders into the tier, on two threads at most: what is expired is left out, and what another
 * folder holds a newer copy of. Memory: two batches of {@value #BATCH} entries or a mebibyte for each thread. Used once.
 */
final class PartCopies {
    private static final int BATCH = 256;
    private static final int BATCH_BYTES = 1 << 20;
    private static final int BATCHES_UNDER_WAY = 2;
    private static final int MOST_THREADS = 2;
    private static final long LOOK_MILLIS = 200;
    private static final long REMEMBER_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PATIENCE_SECONDS = 60;

    private final InstantSource clock;
    private final List<RemoteFolder> folders;
    private final LiveRestore.Host host;
    private final Counter copied;
    private final Counter expired;
    private final BooleanSupplier closing;
    private final Queue<Part> open = new ConcurrentLinkedQueue<>();
    private final AtomicReference<String> trouble = new AtomicReference<>("");

    private record Part(RemoteFolder folder, int number) {
        byte[] from() {
            return DoneParts.beginning(number);
        }

        byte @Nullable [] to() {
            return number + 1 == RestoreNote.PARTS ? null : DoneParts.beginning(number + 1);
        }
    }

    /** The tier does not take what is copied: no part could go on. */
    private static final class NotTakenException extends Exception {
        private static final long serialVersionUID = 1L;

        NotTakenException(String why) {
            super("L3 does not take what is restored: " + why);
        }
    }

    /** Notes how far it is. */
    interface Note {
        void write() throws RocksDBException, ClosedStore, IOException;
    }

    PartCopies(
            InstantSource clock,
            List<RemoteFolder> folders,
            LiveRestore.Host host,
            Counter copied,
            Counter expired,
            BooleanSupplier closing) {
        this.clock = clock;
        this.folders = folders;
        this.host = host;
        this.copied = copied;
        this.expired = expired;
        this.closing = closing;
    }

    /** Copies what can be had. Returns why that is not all; empty when it is, or closing has begun. */
    String run(Function<RemoteFolder, DoneParts> done, Note note) throws RocksDBException, ClosedStore, IOException {
        for (RemoteFolder folder : folders) {
            for (int i = 0; i < RestoreNote.PARTS && folder.isPrepared(); i++) {
                if (!done.apply(folder).has(i)) {
                    open.add(new Part(folder, i));
                }
            }
        }
        if (open.isEmpty()) {
            return "";
        }
        List<Thread> threads = new ArrayList<>();
        int count = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> work(done), "terrace-l3-restore-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
        awaitAll(threads, note);
        note.write();
        return String.valueOf(trouble.get());
    }

    /** They look at {@code closing} between two batches, and no wait of theirs lasts. */
    private static void awaitAll(List<Thread> threads, Note note) throws RocksDBException, ClosedStore, IOException {
        long noted = System.nanoTime();
        boolean interrupted = false;
        try {
            for (Thread thread : threads) {
                while (thread.isAlive()) {
                    try {
                        thread.join(LOOK_MILLIS);
                    } catch (InterruptedException e) {
                        interrupted = true;
                        threads.forEach(Thread::interrupt);
                    }
                    if (System.nanoTime() - noted > REMEMBER_NANOS && !interrupted) {
                        note.write();
                        noted = System.nanoTime();
                    }
                }
            }
        } finally {
            threads.forEach(thread -> ThreadEnd.await(thread, TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS)));
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void work(Function<RemoteFolder, DoneParts> done) {
        try {
            for (Part part = open.poll(); part != null && !isClosing(); part = open.poll()) {
                tryOne(part, done.apply(part.folder()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (NotTakenException e) {
            late(String.valueOf(e.getMessage()));
        } catch (ClosedStore e) {
            late("the backup tier is closed");
        } finally {
            Records.releaseThread();
        }
    }

    /** What is wrong with one part is no reason to leave out those after it. */
    private void tryOne(Part part, DoneParts done) throws InterruptedException, NotTakenException, ClosedStore {
        try {
            String why = part.folder().ask(part.from(), part.to());
            if (!why.isEmpty()) {
                late(why); // In the next round.
                return;
            }
            var arrival = part.folder().onItsWay(part.from(), part.to());
            if (arrival != null) {
                await(arrival);
                open.add(part);
            } else if (copy(part)) {
                done.add(part.number());
            }
        } catch (RemoteFolder.NotHereException e) {
            late(String.valueOf(e.getMessage()));
        } catch (RocksDBException | IOException | RuntimeException | Error e) {
            // Whatever it is: a round that failed without a word would be tried again at once, for ever.
            late("copying what was restored fails: " + e);
        }
    }

    /** The first reason stays: others often follow from it. */
    private void late(String why) {
        trouble.compareAndSet("", why);
    }

    private boolean isClosing() {
        return closing.getAsBoolean() || Thread.currentThread().isInterrupted();
    }

    private static void await(CompletionStage<Boolean> arrival) throws InterruptedException {
        try {
            arrival.toCompletableFuture().get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException notYet) {
            // Looked at again.
        } catch (ExecutionException e) {
            throw new IllegalStateException("arrivals do not fail", e);
        }
    }

    /** Returns whether the tier holds all of the part now. */
    private boolean copy(Part part)
            throws RocksDBException, ClosedStore, IOException, InterruptedException, NotTakenException {
        Sending sending = new Sending();
        long now = clock.millis();
        try (SortedCopies copies = part.folder().copies(part.from(), part.to())) {
            for (Stored stored = copies.next(); stored != null; stored = copies.next()) {
                if (isClosing()) {
                    return false;
                }
                Entry entry = part.folder().open(stored);
                if (entry == null) {
                    continue;
                }
                if (entry.isExpired(now) && !isHeldOlder(entry, now)) {
                    expired.inc();
                } else if (!isOutdone(part.folder(), entry)) {
                    sending.add(entry);
                }
            }
        }
        return sending.end();
    }

    /** Whether the tier holds something that this has replaced: an older plan may have brought it, and nothing else would take it away. */
    private boolean isHeldOlder(Entry entry, long now) throws RocksDBException, ClosedStore {
        Entry held = host.held(entry.key());
        return held != null && !held.isExpired(now) && entry.version().isNewerThan(held.version());
    }

    /** Whether something newer is known that may be expired, and so is not copied or does not keep an older one out. */
    private boolean isOutdone(RemoteFolder own, Entry entry)
            throws RocksDBException, ClosedStore, IOException, InterruptedException {
        Entry held = host.held(entry.key());
        if (held != null && !entry.version().isNewerThan(held.version())) {
            return true;
        }
        for (RemoteFolder folder : folders) {
            if (folder != own && isNewer(folder, entry)) {
                return true;
            }
        }
        return false;
    }

    private boolean isNewer(RemoteFolder folder, Entry entry) throws IOException, InterruptedException {
        byte[] hash = folder.hashOf(entry.key());
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            Found found = folder.look(hash);
            if (found.unknown().isEmpty()) {
                Entry there = found.entry();
                return there != null
                        && there.key().equals(entry.key())
                        && there.version().isNewerThan(entry.version());
            }
            var until = found.until();
            if (until == null || isClosing() || System.nanoTime() - end > 0) {
                throw new RemoteFolder.NotHereException(found.unknown());
            }
            try {
                until.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException notYet) {
                // Looked at again.
            } catch (ExecutionException e) {
                throw new IllegalStateException("arrivals do not fail", e);
            }
        }
    }

    /** Entries on their way into the tier. */
    private final class Sending {
        private record Batch(List<Entry> entries, CompletionStage<List<StoreOutcome>> outcomes) {}

        private final Deque<Batch> underWay = new ArrayDeque<>();
        private List<Entry> batch = new ArrayList<>();
        private int bytes;
        private boolean isWhole = true;

        void add(Entry entry) throws InterruptedException, NotTakenException {
            batch.add(entry);
            bytes += Envelope.length(entry);
            if (batch.size() >= BATCH || bytes >= BATCH_BYTES) {
                send();
            }
        }

        private void send() throws InterruptedException, NotTakenException {
            if (!batch.isEmpty()) {
                underWay.add(new Batch(batch, host.putAll(batch)));
                batch = new ArrayList<>();
                bytes = 0;
            }
            while (underWay.size() >= BATCHES_UNDER_WAY) {
                settle();
            }
        }

        private void settle() throws InterruptedException, NotTakenException {
            Batch oldest = underWay.remove();
            List<Entry> left = oldest.entries();
            CompletionStage<List<StoreOutcome>> outcomes = oldest.outcomes();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (true) {
                List<Entry> again = new ArrayList<>();
                String why = "";
                List<StoreOutcome> said = get(outcomes);
                for (int i = 0; i < left.size(); i++) {
                    if (said.get(i) instanceof StoreOutcome.Unavailable no) {
                        again.add(left.get(i));
                        why = no.cause() + " " + no.detail();
                    } else if (said.get(i) instanceof StoreOutcome.Refused no) {
                        // The part stays open, so that it is answered from the repository until the settings let it in.
                        isWhole = false;
                        late("L3 refuses what is restored of cache '"
                                + left.get(i).key().cache() + "': " + no.reason());
                    } else {
                        copied.inc();
                    }
                }
                if (again.isEmpty()) {
                    return;
                }
                if (isClosing() || System.nanoTime() - end > 0) {
                    throw new NotTakenException(why);
                }
                // Callers write as well, and go first.
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
                left = again;
                outcomes = host.putAll(again);
            }
        }

        private static List<StoreOutcome> get(CompletionStage<List<StoreOutcome>> outcomes)
                throws InterruptedException {
            try {
                return outcomes.toCompletableFuture().get();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a tier failed instead of answering", e);
            }
        }

        /** Returns whether the tier holds all that was added. */
        boolean end() throws InterruptedException, NotTakenException {
            send();
            while (!underWay.isEmpty()) {
                settle();
            }
            return isWhole;
        }
    }
}
