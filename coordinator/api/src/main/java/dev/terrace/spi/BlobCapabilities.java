package dev.terrace.spi;

/**
 * What a blob store can be trusted with. Found by trying, not by the name of the vendor: some look-alikes take a condition and
 * ignore it.
 *
 * @param createsIfAbsent of several writers that create the same name exactly one wins
 */
public record BlobCapabilities(boolean createsIfAbsent) {}
