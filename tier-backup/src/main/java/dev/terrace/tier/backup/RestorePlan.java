package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.Chain;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.DeltaRef;
import dev.terrace.tier.backup.repo.FileRef;
import dev.terrace.tier.backup.repo.Generation;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import dev.terrace.tier.backup.repo.Segment;
import dev.terrace.tier.backup.repo.WholeState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one writer's folder is restored from.
 *
 * @param writer whose
 * @param segment the restore point
 * @param sequence how far its files go
 * @param files of the snapshot
 * @param deltas after it, in order; perhaps more than the moment needs
 * @param asOf nothing that was committed later; null for everything
 */
record RestorePlan(
        int writer,
        Segment segment,
        long sequence,
        List<FileRef> files,
        List<DeltaRef> deltas,
        @Nullable Instant asOf) {
    RestorePlan {
        files = List.copyOf(files);
        deltas = List.copyOf(deltas);
    }

    /** Empty when the writer had published nothing by then. */
    static Optional<RestorePlan> of(Chain chain, @Nullable Instant asOf) throws BlobException, DamagedException {
        Optional<ChainState> state = chain.load();
        if (state.isEmpty()) {
            return Optional.empty();
        }
        Segment chosen = null;
        for (Segment segment : state.get().segments()) {
            if (asOf == null || segment.asOfMillis() <= asOf.toEpochMilli()) {
                chosen = segment;
            }
        }
        if (chosen == null) {
            return Optional.empty();
        }
        requireCovered(state.get().segments(), chosen, asOf);
        Snapshot snapshot = chain.snapshot(chosen.first());
        List<DeltaRef> deltas = new ArrayList<>(snapshot.deltas());
        // Downwards from the signed end, each named by the one after it.
        List<DeltaRef> after = new ArrayList<>();
        Chain.Found at = chain.require(chosen.last());
        while (at.ref().number() > chosen.first().number()) {
            if (at.generation().content() instanceof Generation.Delta delta) {
                after.add(0, delta.delta());
            }
            at = chain.require(at.ref().number() == chosen.first().number() + 1 ? chosen.first() : at.parent());
        }
        deltas.addAll(after);
        return Optional.of(
                new RestorePlan(chain.writer(), chosen, snapshot.sequence(), snapshot.files(), deltas, asOf));
    }

    /** Of what is whole. */
    static RestorePlan of(int writer, WholeState whole, @Nullable Instant asOf) {
        return new RestorePlan(
                writer,
                whole.segment(),
                whole.snapshot().sequence(),
                whole.snapshot().files(),
                whole.deltas(),
                asOf);
    }

    /** A moment that was pruned is not the last moment before it. */
    private static void requireCovered(List<Segment> segments, Segment chosen, @Nullable Instant asOf) {
        int next = segments.indexOf(chosen) + 1;
        if (asOf != null && next < segments.size() && asOf.toEpochMilli() > chosen.throughMillis()) {
            throw new SetupException(
                    "no restore point holds " + asOf + ": one ends at "
                            + Instant.ofEpochMilli(chosen.throughMillis()) + ", the next begins at "
                            + Instant.ofEpochMilli(segments.get(next).asOfMillis()),
                    "give one of these as --as-of");
        }
    }

    /** How much has to be read. */
    long bytes() {
        return files.stream().mapToLong(file -> file.blob().bytes()).sum()
                + deltas.stream().mapToLong(delta -> delta.blob().bytes()).sum();
    }

    /** Whether it needs one of the blobs with these names. */
    boolean needs(Set<String> blobs) {
        return Stream.concat(files.stream().map(FileRef::blob), deltas.stream().map(DeltaRef::blob))
                .anyMatch(blob -> blobs.contains(blob.name()));
    }

    /** Removes from a folder what is none of the snapshot's files, nor the beginning of one. */
    void removeOthers(Path folder) throws IOException {
        Set<String> wanted = new HashSet<>();
        for (FileRef file : files) {
            wanted.add(file.file());
            wanted.add(String.valueOf(Download.part(folder.resolve(file.file())).getFileName()));
        }
        try (Stream<Path> children = Files.list(folder)) {
            for (Path child : children.toList()) {
                if (!wanted.contains(String.valueOf(child.getFileName()))) {
                    Folders.delete(child);
                }
            }
        }
    }

    /** Tells this restore from others. */
    String text() {
        return "writer=" + writer + " point=" + segment.first().hash() + " last="
                + segment.last().hash() + " as_of=" + (asOf == null ? "newest" : asOf.toString());
    }

    static SetupException nothing(@Nullable Instant asOf) {
        return new SetupException(
                asOf == null ? "the repository holds no restore point" : "no restore point is as old as " + asOf,
                "terrace backup list shows which there are");
    }
}
