package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Histories of a real variable with random moments at which operations take effect: known to be good. And the same with one
 * thing changed: usually bad, at times still good.
 */
final class RandomHistories {
    private final Random random;
    private int values;

    RandomHistories(Random random) {
        this.random = random;
    }

    /** An operation on its way, with the moment at which it takes effect. */
    private record Planned(Operation operation, double effect) {}

    /** What a plain variable holds. */
    private static final class Variable {
        private @Nullable String value;
        private @Nullable Version version;
        private int versions;
    }

    /**
     * A good history of one key.
     *
     * @param plainOnly reads and puts only
     */
    History good(String key, int processes, int operations, double unknown, boolean plainOnly, boolean versions) {
        List<Planned> plans = new ArrayList<>();
        int id = 0;
        for (int p = 0; p < processes; p++) {
            long time = random.nextInt(5);
            int life = 1;
            for (int i = 0; i < operations / processes + 1; i++) {
                String process = "p" + p + (life == 1 ? "" : "#" + life);
                Op op = op(key, plainOnly);
                long returned = time + random.nextInt(12);
                boolean lost = random.nextDouble() < unknown;
                double effect = lost
                        ? (random.nextBoolean() ? Double.MAX_VALUE : time + random.nextInt(60))
                        : time + random.nextDouble() * (returned - time);
                Outcome outcome = lost ? Outcome.UNKNOWN : random.nextInt(30) == 0 ? Outcome.FAIL : Outcome.OK;
                plans.add(new Planned(
                        new Operation(
                                ++id,
                                process,
                                "n" + p % 2,
                                op,
                                time,
                                lost ? Operation.OPEN : returned,
                                outcome,
                                outcome == Outcome.OK ? Observed.DONE : null),
                        effect));
                time = returned + random.nextInt(6);
                life += lost ? 1 : 0;
            }
        }
        plans.sort(Comparator.comparingDouble(Planned::effect));
        Variable variable = new Variable();
        List<Operation> done = new ArrayList<>();
        for (Planned plan : plans) {
            done.add(carryOut(plan, variable, versions));
        }
        return History.of(done);
    }

    private Op op(String key, boolean plainOnly) {
        String value = Integer.toString(++values);
        return switch (random.nextInt(plainOnly ? 5 : 10)) {
            case 0, 1 -> Op.put(key, value);
            case 2, 3, 4 -> Op.get(key);
            case 5 -> Op.invalidate(key);
            case 6 -> Op.putIfAbsent(key, value);
            // Often right, because few values were written lately.
            case 7, 8 -> Op.compareAndSet(key, Integer.toString(Math.max(1, values - random.nextInt(4))), value);
            default -> Op.increment(key, 1_000_000);
        };
    }

    private static Operation carryOut(Planned plan, Variable variable, boolean versions) {
        Operation operation = plan.operation();
        if (operation.outcome() == Outcome.FAIL || plan.effect() == Double.MAX_VALUE) {
            return operation;
        }
        Op op = operation.op();
        String before = variable.value;
        boolean applied = switch (op.kind()) {
            case GET, PUT, INVALIDATE, INCREMENT, REPLACE_VERSION -> true;
            case PUT_IF_ABSENT -> before == null;
            case COMPARE_AND_SET -> java.util.Objects.equals(before, op.expected());
        };
        if (applied && !op.isRead()) {
            variable.value = op.kind() == Op.Kind.INCREMENT
                    ? Long.toString((before == null ? 0 : Long.parseLong(before)) + op.delta())
                    : op.value();
            variable.version = versions ? Histories.version(++variable.versions) : null;
        }
        if (operation.outcome() == Outcome.UNKNOWN) {
            return operation;
        }
        String told = op.isRead() ? before : op.kind() == Op.Kind.INCREMENT ? variable.value : null;
        return with(operation, new Observed(applied, told, variable.version, true));
    }

    private static Operation with(Operation operation, Observed observed) {
        return new Operation(
                operation.id(),
                operation.process(),
                operation.node(),
                operation.op(),
                operation.invokeNanos(),
                operation.returnNanos(),
                Outcome.OK,
                observed);
    }

    /** The same with one thing changed. */
    History mutated(History good) {
        List<Operation> operations = new ArrayList<>(good.operations());
        for (int tries = 0; tries < 50; tries++) {
            int at = random.nextInt(operations.size());
            Operation operation = operations.get(at);
            Observed observed = operation.observed();
            if (observed == null) {
                continue;
            }
            Operation other = operations.get(random.nextInt(operations.size()));
            if (operation.op().isRead()) {
                Observed seen = other.observed();
                String value = seen != null && other.op().isRead()
                        ? seen.value()
                        : other.op().value();
                operations.set(at, with(operation, new Observed(true, value, null, true)));
            } else if (operation.op().kind() == Op.Kind.PUT_IF_ABSENT
                    || operation.op().kind() == Op.Kind.COMPARE_AND_SET) {
                operations.set(at, with(operation, new Observed(!observed.applied(), null, null, true)));
            } else if (random.nextBoolean()) {
                operations.set(
                        at,
                        new Operation(
                                operation.id(),
                                operation.process(),
                                operation.node(),
                                operation.op(),
                                operation.invokeNanos(),
                                operation.returnNanos(),
                                Outcome.FAIL,
                                null));
            } else {
                long shift = random.nextInt(40) - 20;
                operations.set(
                        at,
                        new Operation(
                                operation.id(),
                                operation.process(),
                                operation.node(),
                                operation.op(),
                                operation.invokeNanos() + shift,
                                operation.returnNanos() + shift,
                                Outcome.OK,
                                observed));
            }
            break;
        }
        return History.of(operations);
    }

    /** Tries every order, without cleverness. For a dozen operations at most, without versions. */
    static boolean legalByTrying(List<Operation> operations) {
        List<Operation> left = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.outcome() == Outcome.OK
                    || operation.outcome() == Outcome.UNKNOWN && !operation.op().isRead()) {
                left.add(operation);
            }
        }
        return legalByTrying(left, null, new HashMap<>());
    }

    private static boolean legalByTrying(
            List<Operation> left, @Nullable String held, Map<List<Object>, Boolean> known) {
        if (left.stream().allMatch(operation -> operation.outcome() == Outcome.UNKNOWN)) {
            return true;
        }
        List<Object> question = java.util.Arrays.asList(List.copyOf(left), held);
        Boolean answer = known.get(question);
        if (answer != null) {
            return answer;
        }
        boolean legal = false;
        for (Operation first : left) {
            if (!legal && left.stream().noneMatch(other -> other.precedes(first))) {
                String[] after = {held};
                if (allows(first, held, after)) {
                    List<Operation> rest = new ArrayList<>(left);
                    rest.remove(first);
                    legal = legalByTrying(rest, after[0], known);
                }
            }
        }
        known.put(question, legal);
        return legal;
    }

    private static boolean allows(Operation operation, @Nullable String held, @Nullable String[] after) {
        Op op = operation.op();
        Observed seen = operation.observed();
        boolean holds = switch (op.kind()) {
            case GET ->
                java.util.Objects.equals(
                        held, java.util.Objects.requireNonNull(seen).value());
            case PUT, INVALIDATE, REPLACE_VERSION -> true;
            case PUT_IF_ABSENT -> held == null;
            case COMPARE_AND_SET -> java.util.Objects.equals(held, op.expected());
            case INCREMENT -> {
                String sum = Long.toString((held == null ? 0 : Long.parseLong(held)) + op.delta());
                after[0] = sum;
                yield seen == null || sum.equals(seen.value());
            }
        };
        if (seen != null && !seen.applied()) {
            return !holds;
        }
        if (holds && !op.isRead() && op.kind() != Op.Kind.INCREMENT) {
            after[0] = op.value();
        }
        return holds;
    }
}
