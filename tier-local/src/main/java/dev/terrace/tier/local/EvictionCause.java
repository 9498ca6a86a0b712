package dev.terrace.tier.local;

import java.util.Locale;

/** Why an entry left though nobody asked for that. */
enum EvictionCause {
    /** Room was needed for another entry. */
    SIZE(0),
    /** Room was needed within the most that its cache or class may take. */
    SHARE(1),
    /** Its time was over. */
    EXPIRED(2),
    /** Its cache was cleared. */
    CLEARED(3),
    /** The container runs out of memory. */
    SHRINK(4);

    private static final int COUNT = 5;

    /** Its place in arrays of counts. */
    final int index;

    EvictionCause(int index) {
        this.index = index;
    }

    /** As metrics and reports call it. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static int count() {
        return COUNT;
    }
}
