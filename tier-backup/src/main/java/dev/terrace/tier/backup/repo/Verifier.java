package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads a chain back and compares everything with what was signed. What is wrong is named, with the restore points that it hurts. For
 * one thread.
 */
public final class Verifier {
    private final Repository repository;
    private final Chain chain;
    private final List<Problem> problems = new ArrayList<>();
    /** Blobs with the restore points that need them. */
    private final Map<BlobRef, Set<String>> needed = new LinkedHashMap<>();

    private long generations;

    /** Of one writer's chain. */
    public Verifier(Repository repository, int writer) {
        this.repository = repository;
        this.chain = repository.chain(writer);
    }

    /**
     * What was found.
     *
     * @param points restore points, whole or not
     * @param generations how many were read
     * @param blobs how many blobs are needed
     * @param blobsRead of how many every byte was read; of the others only presence and length
     * @param bytes how much was read
     * @param problems what is wrong; empty when all is well
     */
    public record Report(
            int points, long generations, long blobs, long blobsRead, long bytes, List<Problem> problems) {}

    /** How a restore point is called: writer, colon, number of its snapshot. */
    public static String pointName(int writer, Segment segment) {
        return writer + ":" + segment.first().number();
    }

    /**
     * Verifies.
     *
     * @param sampled which blobs are read in full; all are looked at
     * @param progress told the bytes read so far
     * @throws BlobException when the store cannot be asked; what is wrong in what it answers is in the report
     */
    public Report verify(Predicate<BlobRef> sampled, LongConsumer progress) throws BlobException {
        BlobCheck check = new BlobCheck(repository.store(), progress);
        List<Segment> segments = List.of();
        try {
            repository.registry().check(chain.writer());
        } catch (DamagedException e) {
            add(e, List.of());
        }
        try {
            Optional<ChainState> state = chain.load();
            if (state.isPresent()) {
                segments = state.get().segments();
                checkWriters(state.get().snapshot());
            }
        } catch (DamagedException e) {
            add(e, List.of("all restore points of writer " + chain.writer()));
        }
        checkBoundary(sampled);
        for (Segment segment : segments) {
            walk(segment);
        }
        for (Map.Entry<BlobRef, Set<String>> one : needed.entrySet()) {
            BlobRef blob = one.getKey();
            BlobCheck.Wrong wrong = check.wrong(blob, sampled.test(blob));
            if (wrong != null) {
                add(new DamagedException(wrong.kind(), blob.name(), wrong.detail()), List.copyOf(one.getValue()));
            }
        }
        return new Report(
                segments.size(), generations, needed.size(), check.blobsRead(), check.bytes(), List.copyOf(problems));
    }

    /** Older values of the boundary hurt nothing; still somebody changed them. */
    private void checkBoundary(Predicate<BlobRef> sampled) throws BlobException {
        int steps;
        try {
            steps = chain.boundary().steps();
        } catch (DamagedException e) {
            return; // Named already: the chain cannot be loaded without it.
        }
        for (int step = 1; step < steps; step++) {
            try {
                if (sampled.test(new BlobRef(Names.boundary(chain.writer(), step), 0, Ref.NO_HASH))) {
                    chain.boundary().check(step);
                }
            } catch (DamagedException e) {
                add(e, List.of());
            }
        }
    }

    private void checkWriters(Snapshot newest) throws BlobException {
        for (int writer = repository.registry().dense() + 1; writer <= newest.writers(); writer++) {
            if (!repository.registry().isRegistered(writer)) {
                problems.add(new Problem(
                        Problem.Kind.MISSING,
                        Names.registered(writer),
                        "a snapshot knows of " + newest.writers() + " writers; this one was taken out of the registry",
                        List.of("all restore points of writer " + writer)));
            }
        }
    }

    private void add(DamagedException e, List<String> hurts) {
        problems.add(new Problem(e.kind(), e.blob(), String.valueOf(e.getMessage()), hurts));
    }

    /** Upwards from the snapshot: each must follow the one before, and the last be the one that was signed for. */
    private void walk(Segment segment) throws BlobException {
        String point = pointName(chain.writer(), segment);
        ChainState at = null;
        for (long number = segment.first().number(); number <= segment.last().number(); number++) {
            try {
                Optional<Chain.Found> found = chain.read(number);
                if (found.isEmpty()) {
                    throw new DamagedException(
                            Problem.Kind.MISSING,
                            Names.generation(chain.writer(), number),
                            "it is between generations that are there");
                }
                generations++;
                Chain.Found here = found.get();
                at = number == segment.first().number()
                        ? ChainState.first(segment, here)
                        : at == null ? null : at.after(here);
                if (number == segment.last().number() && !here.ref().equals(segment.last())) {
                    throw new DamagedException(
                            Problem.Kind.BROKEN_CHAIN,
                            Names.generation(chain.writer(), number),
                            "it is not the one that a later generation names");
                }
                need(here.generation().content(), point);
            } catch (DamagedException e) {
                add(e, List.of(hurt(point, at)));
                at = null;
            }
        }
    }

    private static String hurt(String point, @Nullable ChainState whole) {
        return whole == null ? point : point + " after " + Instant.ofEpochMilli(whole.throughMillis());
    }

    private void need(Generation.Content content, String point) {
        if (content instanceof Snapshot snapshot) {
            snapshot.files().forEach(file -> need(file.blob(), point));
            snapshot.deltas().forEach(delta -> need(delta.blob(), point));
        } else if (content instanceof Delta delta) {
            need(delta.delta().blob(), point);
        }
    }

    private void need(BlobRef blob, String point) {
        needed.computeIfAbsent(blob, unused -> new LinkedHashSet<>()).add(point);
    }
}
