package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Was anything answered that was too old? Every check asks, of a read, for the newest write that it had to know about, and
 * complains when the answer is older. Versions say what is older; where they are not told, the real time of writes does.
 *
 * <p>Answers that were flagged as possibly stale are not judged, except by {@link #eventual}. A miss is not a stale answer: a cache may forget; and an
 * absence is as good as a newer absence. So
 * reads that found nothing and told no version are skipped, and so are reads of a value whose write is not in the history;
 * {@link Verdict.Holds#skipped} counts them. All checks take O(n log n).
 *
 * <p>Stateless and thread-safe.
 */
public final class StalenessChecker {
    /** STRICT: after a put or an invalidation has returned, no read that is invoked later, anywhere, answers an older version. */
    public Verdict strict(History history) {
        return bounded(history, Duration.ZERO, Duration.ZERO);
    }

    /**
     * BOUNDED: what is answered as fresh was replaced, if at all, at most {@code epsilon} ago.
     *
     * @param clockError how far the clocks that the system measures epsilon by may go wrong in that time
     */
    public Verdict bounded(History history, Duration epsilon, Duration clockError) {
        long slack = epsilon.plus(clockError).toNanos();
        String promise = slack == 0
                ? "a write had returned before the read was invoked"
                : "a write had returned more than " + epsilon + " + " + clockError + " before the read was invoked";
        return judge(
                history, all -> List.of(all), Operation::isAcknowledgedWrite, slack, Long.MIN_VALUE, false, promise);
    }

    /**
     * EVENTUAL: {@code within} after a write was acknowledged, or its result was first read, and {@code within} after the last
     * fault, everyone answers it or something newer.
     *
     * @param lastFaultNanos when the last fault ended, by the recorder's clock
     */
    public Verdict eventual(History history, Duration within, long lastFaultNanos) {
        long slack = within.toNanos();
        return judge(
                history,
                all -> List.of(all),
                operation -> operation.isAcknowledgedWrite() || operation.isAnsweredRead(),
                slack,
                lastFaultNanos + slack,
                true,
                "it was written or read more than " + within + " before, and no fault since");
    }

    /** Monotonic reads: a node never answers something older than what it had answered before. */
    public Verdict monotonicReadsPerNode(History history) {
        return judge(
                history,
                all -> split(all, Operation::node),
                Operation::isAnsweredRead,
                0,
                Long.MIN_VALUE,
                false,
                "the same node had answered something newer before");
    }

    /** Read-your-writes: a session never reads something older than what it wrote and had acknowledged. */
    public Verdict readYourWrites(History history) {
        return judge(
                history,
                all -> split(all, Operation::session),
                Operation::isAcknowledgedWrite,
                0,
                Long.MIN_VALUE,
                false,
                "the same session had written something newer");
    }

    private static List<List<Operation>> split(List<Operation> all, Function<Operation, String> by) {
        Map<String, List<Operation>> parts = new HashMap<>();
        all.forEach(operation -> parts.computeIfAbsent(by.apply(operation), absent -> new ArrayList<>())
                .add(operation));
        return List.copyOf(parts.values());
    }

    private static Verdict judge(
            History history,
            Function<List<Operation>, List<List<Operation>>> groups,
            Predicate<Operation> evidence,
            long slackNanos,
            long fromNanos,
            boolean flaggedToo,
            String promise) {
        List<Verdict> verdicts = new ArrayList<>();
        history.byKey().forEach((key, operations) -> {
            Writers writers = new Writers(operations);
            for (List<Operation> group : groups.apply(operations)) {
                Known known = new Known(
                        group.stream()
                                .filter(evidence)
                                .filter(writers::canBePlaced)
                                .toList(),
                        writers);
                verdicts.add(judge(key, group, writers, known, slackNanos, fromNanos, flaggedToo, promise));
            }
        });
        return Verdict.all(verdicts);
    }

    private static Verdict judge(
            String key,
            List<Operation> reads,
            Writers writers,
            Known known,
            long slackNanos,
            long fromNanos,
            boolean flaggedToo,
            String promise) {
        List<Violation> violations = new ArrayList<>();
        int judged = 0;
        int skipped = 0;
        for (Operation read : reads) {
            boolean wanted = read.isAnsweredRead()
                    && (flaggedToo || Objects.requireNonNull(read.observed()).fresh())
                    && read.invokeNanos() > fromNanos;
            if (wanted && !writers.canBePlaced(read)) {
                skipped++;
            } else if (wanted) {
                judged++;
                Operation newer = known.newerThan(read, read.invokeNanos() - slackNanos);
                if (newer != null) {
                    violations.add(violation(key, read, newer, writers, promise));
                }
            }
        }
        return violations.isEmpty() ? new Verdict.Holds(judged, skipped) : new Verdict.Violated(violations);
    }

    private static Violation violation(String key, Operation read, Operation newer, Writers writers, String promise) {
        List<Operation> evidence = new ArrayList<>(List.of(newer, read));
        Operation write = writers.of(read);
        if (write != null) {
            evidence.add(write);
        }
        return new Violation(
                key,
                "stale by " + (read.invokeNanos() - newer.returnNanos()) / 1_000 + " us: " + read + ", although "
                        + promise + ": " + newer,
                History.of(evidence.stream().distinct().toList()));
    }

    /** Who wrote what was read. */
    private static final class Writers {
        private final Map<String, Operation> byValue = new HashMap<>();

        Writers(List<Operation> operations) {
            for (Operation operation : operations) {
                String written = operation.mayWrite() ? operation.written() : null;
                if (written != null) {
                    byValue.put(written, operation);
                }
            }
        }

        /** The write of what {@code operation} wrote or read; null when it cannot be told. */
        @Nullable
        Operation of(Operation operation) {
            if (!operation.op().isRead()) {
                return operation;
            }
            Observed observed = operation.observed();
            return observed == null || observed.value() == null ? null : byValue.get(observed.value());
        }

        @Nullable
        Version version(Operation operation) {
            if (operation.version() != null) {
                return operation.version();
            }
            Operation write = of(operation);
            return write == null ? null : write.version();
        }

        boolean canBePlaced(Operation operation) {
            return version(operation) != null || of(operation) != null;
        }
    }

    /** The newest of what had returned by a moment. */
    private static final class Known {
        private final long[] returns;
        /** By position: of everything that had returned until then, the one with the greatest version. */
        private final @Nullable Operation[] newestVersion;
        /** The same for those whose write has no known version: the one whose write began last. */
        private final @Nullable Operation[] lastBegun;

        private final Writers writers;

        Known(List<Operation> evidence, Writers writers) {
            this.writers = writers;
            List<Operation> sorted = evidence.stream()
                    .sorted(Comparator.comparingLong(Operation::returnNanos))
                    .toList();
            returns = sorted.stream().mapToLong(Operation::returnNanos).toArray();
            newestVersion = new Operation[sorted.size()];
            lastBegun = new Operation[sorted.size()];
            Operation newest = null;
            Operation last = null;
            for (int i = 0; i < sorted.size(); i++) {
                Operation operation = sorted.get(i);
                Version version = writers.version(operation);
                if (version != null && version.isNewerThan(newest == null ? null : writers.version(newest))) {
                    newest = operation;
                }
                Operation write = writers.of(operation);
                if (write != null && (last == null || write.invokeNanos() > begun(last))) {
                    last = operation;
                }
                newestVersion[i] = newest;
                lastBegun[i] = last;
            }
        }

        private long begun(Operation operation) {
            return Objects.requireNonNull(writers.of(operation)).invokeNanos();
        }

        /** True when it found nothing or left nothing: whoever is told so cannot tell an older absence from a newer one. */
        private static boolean isAbsence(Operation operation) {
            return operation.op().isRead()
                    ? Objects.requireNonNull(operation.observed()).value() == null
                    : operation.op().kind() == Op.Kind.INVALIDATE;
        }

        /** Something that had returned strictly before {@code nanos} and is newer than what {@code read} answered, or null. */
        @Nullable
        Operation newerThan(Operation read, long nanos) {
            int at = Arrays.binarySearch(returns, nanos);
            while (at > 0 && returns[at - 1] == nanos) {
                at--;
            }
            int before = at >= 0 ? at - 1 : -at - 2;
            if (before < 0) {
                return null;
            }
            Version version = writers.version(read);
            Operation newest = newestVersion[before];
            if (version != null && newest != null) {
                boolean older = Objects.requireNonNull(writers.version(newest)).isNewerThan(version);
                return older && !(isAbsence(read) && isAbsence(newest)) ? newest : null;
            }
            // Without versions: the write that was read had returned before a known one was invoked.
            Operation write = writers.of(read);
            Operation last = lastBegun[before];
            return write != null && last != null && write.precedes(Objects.requireNonNull(writers.of(last)))
                    ? last
                    : null;
        }
    }
}
