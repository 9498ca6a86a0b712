package dev.terrace.node.storm;

import dev.terrace.spi.Version;
import dev.terrace.testkit.history.Held;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.history.Observed;
import dev.terrace.testkit.history.Op;
import dev.terrace.testkit.history.Pending;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One client: asks its home node, or another while that one is away, one thing after the other, and records what it was
 * told. A write counts as acknowledged only when the remote tier has it, and, where {@code acknowledged} asks for more, that holds too; everything less is unknown.
 */
final class StormClient {
    private static final long TIMEOUT_MILLIS = 3_000;
    private static final long PAUSE_MICROS = 4_000;

    private final int number;
    private final List<NodeProcess> nodes;
    private final Workload workload;
    private final HistoryRecorder recorder;
    private final Tally tally;
    private final String acknowledged;
    private final Random random;
    private final Map<String, Version> known = new HashMap<>();
    private final Thread thread;
    private volatile boolean stopped;
    private volatile @Nullable String failure;
    private int values;

    /**
     * @param acknowledged what must be said of where a write is, for it to count
     */
    StormClient(
            int number,
            List<NodeProcess> nodes,
            Workload workload,
            HistoryRecorder recorder,
            Tally tally,
            String acknowledged) {
        this.acknowledged = acknowledged;
        this.number = number;
        this.nodes = nodes;
        this.workload = workload;
        this.recorder = recorder;
        this.tally = tally;
        this.random = workload.randomOf(number);
        this.thread = new Thread(this::run, "storm-client-" + number);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Lets it end what it is doing. */
    void stop() {
        stopped = true;
        try {
            thread.join(TimeUnit.SECONDS.toMillis(20));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Why it ended before it was told to, or did not end when it was; null when all went well. To be asked after {@link #stop}. */
    @Nullable
    String failure() {
        return thread.isAlive() ? thread.getName() + " does not end" : failure;
    }

    private void run() {
        try {
            while (!stopped) {
                NodeProcess node = nodes.get(number % nodes.size());
                for (int i = 1; !node.isReady() && i < nodes.size(); i++) {
                    node = nodes.get((number + i) % nodes.size());
                }
                if (node.isReady()) {
                    step(node);
                }
                // A user who thinks; without, a few clients would take the whole machine.
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextLong(PAUSE_MICROS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = thread.getName() + " was interrupted";
        } catch (RuntimeException | Error e) {
            // A client that is gone asks nothing, and proves nothing.
            failure = thread.getName() + " failed: " + e;
            e.printStackTrace();
        }
    }

    private void step(NodeProcess node) throws InterruptedException {
        Op op = workload.next(random, number + ":" + ++values, values, known::get);
        // A session is one client with one life of a node: what a node promises its users ends with it.
        String life = node.lifeName();
        Pending pending = recorder.begin("c" + number + "-" + life, life, op);
        long begin = System.nanoTime();
        try {
            record(op, pending, node.ask(TIMEOUT_MILLIS, words(op)));
            tally.took(System.nanoTime() - begin);
        } catch (IOException e) {
            tally.count("no answer");
            pending.unknown();
        }
    }

    private String[] words(Op op) {
        String cache = Workload.cacheOf(op.key());
        String key = Workload.inCache(op.key());
        return switch (op.kind()) {
            case GET -> new String[] {"get", cache, key};
            case PUT -> new String[] {"put", cache, key, op.value()};
            case PUT_IF_ABSENT -> new String[] {"put-if-absent", cache, key, op.value()};
            case REPLACE_VERSION ->
                new String[] {"replace", cache, key, op.value(), String.valueOf(op.expectedVersion())};
            case INVALIDATE -> new String[] {"invalidate", cache, key};
            case INCREMENT -> new String[] {"increment", cache, key, Long.toString(op.delta())};
            case COMPARE_AND_SET -> throw new IllegalArgumentException("the cache has none: " + op);
        };
    }

    private void record(Op op, Pending pending, String[] answer) {
        if (!answer[1].equals("ok")) {
            tally.count(op.kind() + " error " + answer[2]);
            if (answer[2].equals("NotExecuted")) {
                pending.fail();
            } else {
                pending.unknown();
            }
            return;
        }
        boolean applied = Boolean.parseBoolean(answer[2]);
        Held held = held(answer);
        boolean fresh = Boolean.parseBoolean(answer[5]);
        String where = answer[6];
        if (op.isRead()) {
            tally.count("GET from " + where);
            if (held.version() != null) {
                known.put(op.key(), held.version());
            }
            pending.ok(new Observed(true, held.value(), held.version(), fresh));
        } else if (op.kind() == Op.Kind.INCREMENT) {
            tally.count("INCREMENT ok");
            pending.ok(held.value(), held.version());
        } else if (applied && where.contains("L2") && where.contains(acknowledged)) {
            tally.count(op.kind() + " ok");
            known.put(op.key(), held.version());
            pending.ok(held.version());
        } else if (!applied && (op.kind() == Op.Kind.PUT_IF_ABSENT || op.kind() == Op.Kind.REPLACE_VERSION)) {
            tally.count(op.kind() + " refused");
            pending.refused();
        } else {
            // Overtaken, or only kept for later.
            tally.count(op.kind() + (applied ? " only in " + where : " overtaken"));
            pending.unknown();
        }
    }

    /** Whether it says what there is, or that there is nothing. */
    static boolean isKnown(String[] answer) {
        return answer[1].equals("ok");
    }

    /** The value and version of an answer that is ok. */
    static Held held(String[] answer) {
        if (!isKnown(answer)) {
            throw new IllegalStateException("no answer: " + String.join(" ", answer));
        }
        return new Held(
                answer[3].equals("-") ? null : answer[3], answer[4].equals("-") ? null : Version.parse(answer[4]));
    }
}
