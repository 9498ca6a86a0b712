/**
 * For testing Terrace and things built on it: contracts ({@link dev.terrace.testkit.TierContract}), a clock that moves
 * when told ({@link dev.terrace.testkit.ManualClock}), a {@link dev.terrace.testkit.TestContext} to open tiers in, and
 * {@link dev.terrace.testkit.Entries} to fill them with.
 */
package dev.terrace.testkit;
