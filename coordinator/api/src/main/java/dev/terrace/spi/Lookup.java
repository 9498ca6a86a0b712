package dev.terrace.spi;

/** What a tier knows about a key right now. */
public sealed interface Lookup {
    /** The miss. */
    Miss MISS = new Miss();

    /** It holds this entry, which may be a tombstone or a negative answer; never one past its stale-until. */
    record Hit(Entry entry) implements Lookup {}

    /** It holds nothing about the key, or nothing that can be believed (corrupt bytes count as a miss, and are counted). */
    record Miss() implements Lookup {}

    /** It could not say. */
    record Unavailable(TierLevel tier, Unavailability cause, String detail) implements Lookup {}
}
