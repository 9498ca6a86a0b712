package dev.terrace.core;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A log of notices that delays, duplicates, is trimmed and is cut off from some. */
final class SimulatedLog {
    private final VirtualTime time;
    private final SplittableRandom random;
    private final String name;
    private final String label;
    private final List<Notice> kept = new ArrayList<>();
    private final List<End> ends = new ArrayList<>();
    private long first = 1;

    /** @param label which one it is, in traces */
    SimulatedLog(VirtualTime time, SplittableRandom random, String name, String label) {
        this.time = time;
        this.random = random;
        this.name = name;
        this.label = label;
    }

    End open(VirtualTime.Owner node) {
        End end = new End(node);
        ends.add(end);
        return end;
    }

    private long last() {
        return first + kept.size() - 1;
    }

    void trim(int keep) {
        int gone = Math.max(0, kept.size() - keep);
        kept.subList(0, gone).clear();
        first += gone;
    }

    /** Everybody looks whether there is something to hear. */
    void wakeAll() {
        ends.forEach(End::wake);
    }

    /** One node's end. */
    final class End implements Backplane {
        private final VirtualTime.Owner node;
        private @Nullable BackplaneListener listener;
        private long self;
        private long place;
        /** Until when it hears nothing, and until when nothing is heard of it. */
        long deafUntil;

        long muteUntil;
        /** How many times it hears something again. */
        int duplicates;

        private long lastAppend;
        private boolean due;
        private List<Notice> previous = List.of();

        private End(VirtualTime.Owner node) {
            this.node = node;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void start(long id, BackplaneListener newListener) {
            self = id;
            listener = newListener;
            place = last();
        }

        @Override
        public CompletionStage<Long> publish(List<Notice> notices) {
            CompletableFuture<Long> position = new CompletableFuture<>();
            if (muteUntil <= time.now()) {
                // A group keeps the order of one sender; of a log nobody asks that.
                lastAppend = name.equals("group")
                        ? Math.max(lastAppend, time.now() + time.delay())
                        : time.now() + time.delay();
                time.at(lastAppend, null, () -> {
                    kept.addAll(notices);
                    long at = last();
                    if (time.isTracing() && !(notices.get(0) instanceof Notice.Beat)) {
                        time.note(label + " at " + at + " has " + notices);
                    }
                    wakeAll();
                    if (muteUntil <= time.now()) {
                        time.later(node, () -> position.complete(at));
                    }
                });
            }
            time.at(time.now() + 80 * VirtualTime.MILLI, node, () -> position.complete(NOT_KNOWN));
            return position;
        }

        void wake() {
            if (!due && !node.isDead()) {
                due = true;
                time.at(Math.max(deafUntil, time.now() + time.delay()), node, this::deliver);
            }
        }

        private void deliver() {
            due = false;
            if (deafUntil > time.now()) {
                wake();
                return;
            }
            if (listener == null || place == last()) {
                return;
            }
            if (first > place + 1) {
                time.note("gap at node " + self + " in " + label);
                listener.gap("trimmed");
                place = first - 1;
            }
            int from = (int) (place + 1 - first);
            int to = Math.min(kept.size(), from + 1 + random.nextInt(8));
            List<Notice> heard = new ArrayList<>();
            if (duplicates > 0) {
                duplicates--;
                heard.addAll(previous);
            }
            for (Notice notice : kept.subList(from, to)) {
                if (notice.node() != self || notice instanceof Notice.Beat) {
                    heard.add(notice);
                }
            }
            place = first + to - 1;
            previous = List.copyOf(heard);
            if (time.isTracing()) {
                time.note("node " + self + " hears " + label + " up to " + place + ": "
                        + heard.stream()
                                .filter(notice -> !(notice instanceof Notice.Beat))
                                .toList());
            }
            listener.heard(heard, place);
            if (place < last()) {
                wake();
            }
        }

        @Override
        public void close() {
            listener = null;
        }
    }
}
