package dev.terrace.api;

/** Told of every move on the ladder, in order, on one thread of its own kind: it may block, but then hears of later moves late. */
@FunctionalInterface
public interface LadderListener {
    /** The node has moved. What this throws is logged and has no other effect. */
    void moved(LadderMove move);
}
