package dev.terrace.testkit.nemesis;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something that can be done to a part of a deployment, and undone. Immutable; the actions run on the nemesis's thread.
 *
 * @param name what it is, for reports: {@code kill}
 * @param target the part that it is done to: {@code zone-2}; one part suffers one fault at a time
 * @param group faults of one group never overlap, whatever their targets; null for none. For what may befall only one part
 *     at a time if promises are to hold: forgetting, for example
 * @param shortest how long it lasts at least
 * @param longest how long it lasts at most
 * @param rest how long afterwards its target and its group are left alone, to recover
 * @param begin does it
 * @param end undoes it
 */
public record Fault(
        String name,
        String target,
        @Nullable String group,
        Duration shortest,
        Duration longest,
        Duration rest,
        Action begin,
        Action end) {
    /** One half of a fault. */
    @FunctionalInterface
    public interface Action {
        /** Does something to the target. */
        void run() throws Exception;
    }

    /** Checks that nothing is missing and that the durations make sense. */
    public Fault {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(begin, "begin");
        Objects.requireNonNull(end, "end");
        if (shortest.isNegative() || longest.compareTo(shortest) < 0 || rest.isNegative()) {
            throw new IllegalArgumentException(
                    name + " of " + target + ": from " + shortest + " to " + longest + ", rest " + rest);
        }
    }

    /** One that lasts from {@code shortest} to {@code longest}, belongs to no group and needs no rest. */
    public static Fault of(String name, String target, Duration shortest, Duration longest, Action begin, Action end) {
        return new Fault(name, target, null, shortest, longest, Duration.ZERO, begin, end);
    }

    /** One that is over as soon as it is done: a connection reset. */
    public static Fault momentary(String name, String target, Action action) {
        return of(name, target, Duration.ZERO, Duration.ZERO, action, () -> {});
    }

    /** The same in a group, whose members never overlap and leave {@code newRest} in between. */
    public Fault in(String newGroup, Duration newRest) {
        return new Fault(name, target, newGroup, shortest, longest, newRest, begin, end);
    }

    /** {@code kill zone-2}. */
    @Override
    public String toString() {
        return name + " " + target;
    }
}
