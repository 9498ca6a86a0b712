/**
 * What stands between the coordinator and a tier that may fail: {@link dev.terrace.failover.GuardedTier}, a circuit
 * breaker and a deadline around one tier; and the {@link dev.terrace.failover.Ladder}, which decides from {@link
 * dev.terrace.failover.HealthSignals} how far a node steps down.
 *
 * <p>And what stands between loads and their origin: {@link dev.terrace.failover.OriginLimits}, limits on calls at once and a
 * second, and a breaker; asked by {@link dev.terrace.failover.LoadPriority}, answered by an {@link
 * dev.terrace.failover.Admission}; {@link dev.terrace.failover.TokenBucket}.
 */
package dev.terrace.failover;
