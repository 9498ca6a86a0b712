/**
 * What stands between the coordinator and a tier that may fail: {@link dev.terrace.failover.GuardedTier}, a circuit
 * breaker and a deadline around one tier; and the {@link dev.terrace.failover.Ladder}, which decides from {@link
 * dev.terrace.failover.HealthSignals} how far a node steps down.
 */
package dev.terrace.failover;
