package dev.terrace.examples.optimizer;

import com.codahale.metrics.Snapshot;
import dev.terrace.api.LadderListener;
import dev.terrace.api.LadderMove;
import dev.terrace.api.LadderStatus;
import dev.terrace.core.CacheCoordinator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** What the page shows. Thread-safe. */
final class Board implements LadderListener {
    private static final int MOST_MOVES = 20;

    private final Deque<LadderMove> moves = new ArrayDeque<>();

    @Override
    public synchronized void moved(LadderMove move) {
        moves.addFirst(move);
        if (moves.size() > MOST_MOVES) {
            moves.removeLast();
        }
    }

    /** Plain values by their names, and what only the page needs in maps and lists. */
    Map<String, Object> tree(CacheCoordinator terrace, FlakyApi api, Visitors visitors) {
        LadderStatus ladder = terrace.ladder();
        Snapshot times = visitors.reads().getSnapshot();
        long reads = visitors.reads().getCount();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("rung", ladder.rung().text());
        tree.put("since", ladder.since().toString());
        tree.put("cause", ladder.cause());
        tree.put("lift", ladder.lift());
        tree.put("moves", ladder.moves());
        tree.put("reads", reads);
        tree.put("reads_failed", visitors.failed());
        tree.put("reads_stale", visitors.stale());
        tree.put("read_p50_micros", TimeUnit.NANOSECONDS.toMicros((long) times.getMedian()));
        tree.put("read_p99_micros", TimeUnit.NANOSECONDS.toMicros((long) times.get99thPercentile()));
        tree.put("api_calls", api.calls());
        tree.put("api_failures", api.failures());
        tree.put("api_calls_saved_percent", reads == 0 ? 0 : Math.max(0, 100 - 100 * api.calls() / reads));
        tree.put("writes", visitors.writes());
        tree.put("writes_refused", visitors.refused());
        tree.put("last_failure", visitors.lastFailure());
        tree.put("signals", new TreeMap<>(ladder.signals()));
        tree.put("recent_moves", recentMoves());
        return tree;
    }

    private synchronized List<Map<String, String>> recentMoves() {
        List<Map<String, String>> recent = new ArrayList<>();
        for (LadderMove move : moves) {
            recent.add(Map.of(
                    "at", move.at().toString(),
                    "from", move.from().text(),
                    "to", move.to().text(),
                    "cause", move.cause()));
        }
        return recent;
    }
}
