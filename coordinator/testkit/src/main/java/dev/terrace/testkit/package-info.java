/**
 * For testing Terrace and things built on it: contracts ({@link dev.terrace.testkit.TierContract}), a clock that moves
 * when told ({@link dev.terrace.testkit.ManualClock}), a {@link dev.terrace.testkit.TestContext} to open tiers in,
 * {@link dev.terrace.testkit.Entries} to fill them with, tiers on the heap ({@link dev.terrace.testkit.HeapTier}, {@link
 * dev.terrace.testkit.HeapLocalTier}) one that fails on command ({@link dev.terrace.testkit.FaultyTier}) and one to
 * change an L1 with ({@link dev.terrace.testkit.ForwardingLocalTier}), a backplane on the heap that
 * fails on command too ({@link dev.terrace.testkit.HeapLog}, {@link dev.terrace.testkit.HeapBackplane}).
 * What keeps blobs is in {@code dev.terrace.testkit.blob}.
 */
package dev.terrace.testkit;
