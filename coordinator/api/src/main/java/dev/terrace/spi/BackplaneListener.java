package dev.terrace.spi;

import java.util.List;

/** Hears a {@link Backplane}. Called by one thread of the channel at a time; must not block. */
public interface BackplaneListener {
    /**
     * Notices of other nodes, and this node's own {@linkplain Notice.Beat beats}, in the order of the channel.
     *
     * @param position how far the channel has been heard with these; rises by one with every notice of any node
     */
    void heard(List<Notice> notices, long position);

    /**
     * Something may have been missed for ever: trimmed, lost, or the channel began anew. Called before anything that comes
     * after the gap.
     *
     * @param why for people
     */
    void gap(String why);
}
