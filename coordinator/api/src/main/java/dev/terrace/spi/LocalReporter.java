package dev.terrace.spi;

/** A local tier that can say what it holds, for people who look at it. */
public interface LocalReporter {
    /** What is held now. Takes longer than a read, up to tens of milliseconds; for calls once a second, not for each request. */
    LocalReport report();
}
