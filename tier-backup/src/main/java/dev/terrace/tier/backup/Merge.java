package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.Entry;
import dev.terrace.tier.backup.MergeGroups.Copy;
import dev.terrace.tier.backup.MergeGroups.Group;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Merges restored folders into another by version: a k-way merge of sorted records into sorted files, which that folder takes in as one step.
 * Of each key the newest version wins, tombstones and markers like values; what has expired by now is left out unless it hides something
 * older. Every record is opened before it is believed. It is copied as it is where both folders name keys alike, and sealed anew else
 * ({@link Rekeying}). Killed anywhere, it can be done again. For one thread.
 */
final class Merge {
    private static final int NOTED_AT_ONCE = 1_000;

    private final MergeTarget target;
    private final Predicate<Entry> wanted;
    private final Path work;
    private final InstantSource clock;
    private final AtomicLong expired = new AtomicLong();
    private final List<byte[]> kept = new ArrayList<>();
    private long written;

    /**
     * What was done.
     *
     * @param written entries that came in
     * @param expired left out, because their time is over
     * @param unreadable records, or blocks of them, that could not be believed, or whose key was destroyed
     */
    record Outcome(long written, long expired, long unreadable) {
        static final Outcome NOTHING = new Outcome(0, 0, 0);
    }

    /** The one that comes in. */
    private record Winner(Stored stored, boolean isKept) {}

    private Merge(MergeTarget target, Predicate<Entry> wanted, Path work, InstantSource clock) {
        this.target = target;
        this.wanted = wanted;
        this.work = work;
        this.clock = clock;
    }

    /**
     * Merges.
     *
     * @param into settings of the folder
     * @param folders what is merged into it
     * @param wanted which entries
     * @param work a folder on the same disk, for nobody else; empty afterwards
     * @throws dev.terrace.api.SetupException when the folder is in use
     */
    static Outcome of(
            BackupStorageSettings into, List<Path> folders, Predicate<Entry> wanted, Path work, InstantSource clock)
            throws IOException {
        Folders.delete(work);
        List<MergeSource> sources = new ArrayList<>();
        try {
            for (Path folder : folders) {
                sources.add(MergeSource.open(folder, into, clock));
            }
            try (MergeTarget target = MergeTarget.open(into, clock, sources)) {
                return new Merge(target, wanted, work, clock).run(sources, into);
            }
        } catch (RocksDBException e) {
            throw new IOException("restored entries cannot be merged: " + e.getMessage(), e);
        } catch (PartitionedStore.ClosedStore e) {
            throw new IllegalStateException("closed before it was closed", e);
        } finally {
            sources.forEach(MergeSource::close);
            Folders.delete(work);
        }
    }

    private Outcome run(List<MergeSource> sources, BackupStorageSettings settings)
            throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        List<MergeInput> inputs = new ArrayList<>();
        List<Rekeying> rekeyed = new ArrayList<>();
        try {
            for (MergeSource source : sources) {
                if (source.isNamedAs(target.ring())) {
                    inputs.add(source.input());
                } else {
                    Rekeying rekeying =
                            new Rekeying(target, work.resolve("rekeyed-" + rekeyed.size()), settings, clock);
                    rekeyed.add(rekeying);
                    inputs.add(rekeying.run(source.input(), wanted));
                }
            }
            merge(inputs);
            long unreadable = sources.stream()
                    .mapToLong(source -> source.input().unreadable())
                    .sum();
            return new Outcome(written, expired.get(), unreadable);
        } finally {
            rekeyed.forEach(Rekeying::close);
        }
    }

    private void merge(List<MergeInput> inputs) throws IOException, RocksDBException, PartitionedStore.ClosedStore {
        long now = clock.millis();
        try (SortedFiles files = new SortedFiles(work.resolve("sorted"), target.options());
                InOrder<Group, Winner> work = new InOrder<>(group -> winner(group, now), winner -> {
                    files.add(winner.stored());
                    written++;
                    if (winner.isKept()) {
                        kept.add(winner.stored().hash());
                    }
                    if (kept.size() >= NOTED_AT_ONCE) {
                        noteKept();
                    }
                })) {
            MergeGroups groups = new MergeGroups(inputs);
            for (Group group = groups.next(); group != null; group = groups.next()) {
                work.add(group);
            }
            work.end();
            noteKept();
            target.ingest(files.end());
        }
    }

    /** Before they come in: a note of what is not there hurts nobody. */
    private void noteKept() throws RocksDBException, PartitionedStore.ClosedStore {
        if (!kept.isEmpty()) {
            target.note(kept);
            kept.clear();
        }
    }

    private @Nullable Winner winner(Group group, long now) throws RocksDBException, PartitionedStore.ClosedStore {
        Entry best = null;
        byte[] record = null;
        for (Copy copy : group.copies()) {
            Entry entry = copy.input().open(group.hash(), copy.record());
            if (entry != null && (best == null || entry.version().isNewerThan(best.version()))) {
                best = entry;
                record = copy.record();
            }
        }
        if (best == null || record == null || !wanted.test(best)) {
            return null;
        }
        Entry held = target.held(group.hash());
        if (held != null && !best.version().isNewerThan(held.version())) {
            return null;
        }
        if (held == null && best.isExpired(now)) {
            expired.incrementAndGet();
            return null;
        }
        return new Winner(new Stored(group.hash(), record), target.isKept(best));
    }
}
