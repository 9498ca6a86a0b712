package dev.terrace.api;

import java.util.Locale;

/**
 * How far a node has stepped down, best first. Each rung says what reads and writes may still expect; see {@code
 * docs/degradation.md}.
 */
public enum Rung {
    /** All tiers serve. */
    NORMAL,
    /** L2 is left out: L1, L3 and the loader answer; writes are kept for L2 and handed over later. */
    LOCAL_ONLY,
    /** Writes are refused; what L1 and L3 hold is answered, flagged stale where it is, before the loader is asked. */
    READ_ONLY,
    /** Caches are left aside: reads go straight to the loader, writes straight to the writer. */
    DIRECT,
    /** Everything is refused at once, with the time after which to try again. */
    REJECT;

    /** True when this rung serves less than {@code other}. */
    public boolean isWorseThan(Rung other) {
        return compareTo(other) > 0;
    }

    /** As people write it in commands, settings and logs: {@code local-only}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The rung that {@code text} names, in any case, with hyphens or underscores.
     *
     * @throws BadInputException when it names none
     */
    public static Rung parse(String text) {
        String wanted = text.strip().toUpperCase(Locale.ROOT).replace('-', '_');
        for (Rung rung : values()) {
            if (rung.name().equals(wanted)) {
                return rung;
            }
        }
        throw new BadInputException(
                "'" + text + "' is not a rung", "use normal, local-only, read-only, direct or reject");
    }
}
