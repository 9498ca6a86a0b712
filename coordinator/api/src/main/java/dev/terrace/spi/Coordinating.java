package dev.terrace.spi;

/** A tier or zone whose servers can also settle what the nodes of a fleet do one at a time, or so many a second. */
public interface Coordinating {
    /** Leases on keys. */
    LeaseStore leases();

    /** Token buckets. */
    RateStore rates();
}
