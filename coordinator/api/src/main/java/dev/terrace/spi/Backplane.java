package dev.terrace.spi;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The channel that carries invalidations between nodes: a log that every node appends to and reads from its own position.
 * Thread-safe. Stages complete normally and within the channel's deadline. See {@code docs/adr/0006}.
 */
public interface Backplane extends AutoCloseable {
    /** No position: the channel may or may not have it. */
    long NOT_KNOWN = -1;

    /** Names it in metrics and events: {@code log}, {@code group}. */
    String name();

    /**
     * Begins to read. Called once, before anything is published. What others publish after it has returned is heard, or lies behind a gap;
     * it waits for that no longer than a moment.
     *
     * @param node this node's id; its own notices are not delivered to it, its own beats are
     */
    void start(long node, BackplaneListener listener);

    /**
     * Appends notices, in order. Those that wait for the channel travel together.
     *
     * @return the position of the last of them, once the channel has them all, so that every node that keeps listening will
     *     hear them; {@link #NOT_KNOWN} when that cannot be said
     */
    CompletionStage<Long> publish(List<Notice> notices);

    /**
     * As {@link #publish}, for notices that nobody waits for: the channel may keep them a millisecond or so, that more of them travel
     * together. They keep their order with the others.
     */
    default CompletionStage<Long> publishSoon(List<Notice> notices) {
        return publish(notices);
    }

    /** Why it does not work, for people; empty while all is well. Never waits. */
    default String trouble() {
        return "";
    }

    /** Stops reading, hands over what is queued if that takes no longer than the channel's deadline. Idempotent. */
    @Override
    void close();
}
