/**
 * What stands between the coordinator and a tier that may fail: {@link dev.terrace.failover.GuardedTier}, a circuit
 * breaker and a deadline around one tier.
 */
package dev.terrace.failover;
