package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Is every key an atomic register, for reads and plain writes of which no two write the same value? Decides in
 * O(n log n), so millions of operations take seconds.
 *
 * <p>After Gibbons and Korach ("Testing shared memories", 1997): a write and the reads that saw it form a cluster. Let f be the first
 * return and s the last invocation in it. Clusters must be ordered as a whole; one has to come before another when its f is
 * before the other's s. So a history is linearizable if and only if no read returned before the write it saw was invoked,
 * and no two clusters have to come before each other. Clusters with f before s are "forward zones" and must be disjoint;
 * the others are "backward zones" and must not lie inside a forward one.
 *
 * <p>An invalidation is told from others by its version, if reads of absent keys tell versions. What a history has beyond
 * that (conditional writes, increments, a value written twice, absences that several invalidations could explain) makes its
 * key undecided; {@link HistoryReport#linearizable} then asks the {@link LinearizabilityChecker}.
 *
 * <p>Stateless and thread-safe.
 */
public final class UniqueWriteChecker {
    /** Judges every key. */
    public Verdict check(History history) {
        List<Verdict> verdicts = new ArrayList<>();
        history.byKey().forEach((key, operations) -> verdicts.add(new OneKey(key, operations).check()));
        return Verdict.all(verdicts);
    }

    /** A write and those who saw it. */
    private static final class Cluster {
        private final @Nullable Operation write;
        private @Nullable Operation firstToReturn;
        private @Nullable Operation lastInvoked;
        private boolean seen;

        /** {@code write} is null for what was there before everything: absence. */
        Cluster(@Nullable Operation write) {
            this.write = write;
            if (write != null) {
                add(write);
            }
        }

        void see(Operation read) {
            seen = true;
            add(read);
        }

        private void add(Operation operation) {
            if (firstToReturn == null || operation.returnNanos() < firstToReturn.returnNanos()) {
                firstToReturn = operation;
            }
            if (lastInvoked == null || operation.invokeNanos() > lastInvoked.invokeNanos()) {
                lastInvoked = operation;
            }
        }

        /** False when nothing shows that it ever happened. */
        boolean happened() {
            return write == null ? seen : seen || write.outcome() == Outcome.OK;
        }

        long f() {
            return write == null || firstToReturn == null ? Long.MIN_VALUE : firstToReturn.returnNanos();
        }

        long s() {
            return lastInvoked == null ? Long.MIN_VALUE : lastInvoked.invokeNanos();
        }

        boolean isForward() {
            return f() < s();
        }

        boolean mustPrecede(Cluster other) {
            return f() < other.s();
        }

        void witnesses(Set<Operation> into) {
            if (write != null) {
                into.add(write);
                into.add(Objects.requireNonNull(firstToReturn));
            }
            if (lastInvoked != null) {
                into.add(lastInvoked);
            }
        }
    }

    private static final class OneKey {
        private final String key;
        private final List<Operation> operations;
        private final Map<String, Cluster> byValue = new HashMap<>();
        private final Map<Version, Cluster> byTombstone = new HashMap<>();
        private final List<Cluster> untoldInvalidations = new ArrayList<>();
        private final Cluster beginning = new Cluster(null);
        private long firstInvalidation = Long.MAX_VALUE;

        OneKey(String key, List<Operation> operations) {
            this.key = key;
            this.operations = operations;
        }

        Verdict check() {
            for (Operation operation : operations) {
                Verdict refusal = operation.op().isRead() ? null : enterWrite(operation);
                if (refusal != null) {
                    return refusal;
                }
            }
            for (Operation operation : operations) {
                Verdict refusal = operation.isAnsweredRead() ? enterRead(operation) : null;
                if (refusal != null) {
                    return refusal;
                }
            }
            return order();
        }

        private @Nullable Verdict enterWrite(Operation operation) {
            if (operation.outcome() == Outcome.FAIL) {
                return null;
            }
            switch (operation.op().kind()) {
                case PUT -> {
                    String value = Objects.requireNonNull(operation.op().value());
                    if (byValue.put(value, new Cluster(operation)) != null) {
                        return undecided("value '" + value + "' is written twice");
                    }
                }
                case INVALIDATE -> {
                    Cluster cluster = new Cluster(operation);
                    firstInvalidation = Math.min(firstInvalidation, operation.invokeNanos());
                    Version version = operation.version();
                    if (version == null) {
                        untoldInvalidations.add(cluster);
                    } else if (byTombstone.put(version, cluster) != null) {
                        return undecided("version " + version + " is given to two invalidations");
                    }
                }
                default -> {
                    return undecided("it has operations like " + operation.op());
                }
            }
            return null;
        }

        private @Nullable Verdict enterRead(Operation read) {
            Observed observed = Objects.requireNonNull(read.observed());
            Cluster cluster = observed.value() == null ? absence(read) : byValue.get(observed.value());
            if (cluster == null) {
                return observed.value() == null
                        ? undecided("several invalidations could explain " + read)
                        : violated("nobody wrote what was read, or only a write that failed", Set.of(read));
            }
            Operation write = cluster.write;
            if (write != null) {
                if (read.precedes(write)) {
                    return violated("read before the write was invoked", Set.of(read, write));
                }
                boolean told = observed.value() != null && observed.version() != null && write.version() != null;
                if (told && !Objects.equals(observed.version(), write.version())) {
                    return violated("read with a version that it was not written with", Set.of(read, write));
                }
            }
            cluster.see(read);
            return null;
        }

        private @Nullable Cluster absence(Operation read) {
            if (read.returnNanos() < firstInvalidation) {
                return beginning;
            }
            Version version = read.version();
            return version == null ? null : byTombstone.get(version);
        }

        private Verdict order() {
            List<Cluster> happened = new ArrayList<>();
            for (List<Cluster> some :
                    List.of(List.of(beginning), List.copyOf(byValue.values()), List.copyOf(byTombstone.values()))) {
                some.stream().filter(Cluster::happened).forEach(happened::add);
            }
            // An acknowledged invalidation that nobody saw still has its place.
            untoldInvalidations.stream().filter(Cluster::happened).forEach(happened::add);

            Cluster[] forward = happened.stream()
                    .filter(Cluster::isForward)
                    .sorted(Comparator.comparingLong(Cluster::f))
                    .toArray(Cluster[]::new);
            for (int i = 1; i < forward.length; i++) {
                if (forward[i].mustPrecede(forward[i - 1])) {
                    return conflict(forward[i - 1], forward[i]);
                }
            }
            long[] starts = Arrays.stream(forward).mapToLong(Cluster::f).toArray();
            for (Cluster cluster : happened) {
                if (!cluster.isForward()) {
                    int at = Arrays.binarySearch(starts, cluster.s());
                    // The last zone that starts strictly before: they are disjoint, so no other can reach further.
                    int before = at >= 0 ? at - 1 : -at - 2;
                    if (before >= 0 && cluster.mustPrecede(forward[before])) {
                        return conflict(cluster, forward[before]);
                    }
                }
            }
            return new Verdict.Holds(operations.size(), 0);
        }

        private Verdict conflict(Cluster one, Cluster other) {
            Set<Operation> witnesses = new LinkedHashSet<>();
            one.witnesses(witnesses);
            other.witnesses(witnesses);
            return violated(
                    "not linearizable: " + name(one) + " must come before " + name(other) + " and after it", witnesses);
        }

        private static String name(Cluster cluster) {
            return cluster.write == null ? "the beginning" : cluster.write.op().toString();
        }

        private Verdict violated(String reason, Set<Operation> witnesses) {
            return new Verdict.Violated(List.of(new Violation(key, reason, History.of(witnesses))));
        }

        private Verdict undecided(String reason) {
            return new Verdict.Undecided(List.of("key '" + key + "': " + reason));
        }
    }
}
