package dev.terrace.spi;

import java.util.List;

/** Hears a {@link Backplane}. Called by one thread of the channel at a time; must not block. */
public interface BackplaneListener {
    /**
     * Notices of other nodes, and this node's own {@linkplain Notice.Beat beats}, in the order of the channel. May be empty:
     * then only notices that are not for this node were passed over.
     *
     * @param position how far the channel has been heard with these; rises by one with every notice of any node, {@link
     *     Notice.External} excepted. The same notice has the same position on every node, and a position is never used
     *     again, also when the channel begins anew
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
