package dev.terrace.node.storm;

import dev.terrace.testkit.nemesis.Fault;
import java.util.List;

/** The Redis servers of a storm. */
interface Servers extends AutoCloseable {
    /** The prefix of all keys. */
    String KEY_PREFIX = "storm";

    /** What they are, for people. */
    String description();

    /** What can befall them without more being lost than they promise to keep. */
    List<Fault> faults();

    @Override
    void close();
}
