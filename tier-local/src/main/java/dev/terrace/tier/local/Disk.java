package dev.terrace.tier.local;

import java.nio.MappedByteBuffer;

/** Takes what lies in memory of a mapped file. A seam, so that tests can have it fail. */
@FunctionalInterface
interface Disk {
    /** The one under the file. */
    Disk OF_THE_FILE = MappedByteBuffer::force;

    /** Returns when it has what was written to that part; throws when it refuses any of it. */
    void take(MappedByteBuffer part);
}
