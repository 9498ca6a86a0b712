/**
 * What a tier implements and what travels between tiers: {@link dev.terrace.spi.Tier} and its capabilities, found by
 * {@link dev.terrace.spi.TierProvider}, wrapped by extending {@link dev.terrace.spi.ForwardingTier}; {@link dev.terrace.spi.Entry} in its {@link dev.terrace.spi.Envelope}, ordered
 * by {@link dev.terrace.spi.Version}; the outcomes {@link dev.terrace.spi.Lookup} and
 * {@link dev.terrace.spi.StoreOutcome}. Between nodes: {@link dev.terrace.spi.Notice}s in {@link
 * dev.terrace.spi.NoticeFormat} over a {@link dev.terrace.spi.Backplane}, found by {@link
 * dev.terrace.spi.BackplaneProvider}.
 */
package dev.terrace.spi;
