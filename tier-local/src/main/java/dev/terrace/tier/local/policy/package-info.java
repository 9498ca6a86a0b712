/**
 * Who goes when L1 is full: eviction policies over numbered slots, in flat arrays, without an object per entry.
 *
 * <p>Public: {@link dev.terrace.tier.local.policy.Eviction}, which picks victims, and {@link dev.terrace.tier.local.policy.Among}, which says who
 * may be one. Policies know no keys, no values and no
 * storage. {@code Sampled} compares residents drawn at random by a {@code Ranking} ({@code Recency}, {@code Frequency}, {@code
 * ReuseModel}); {@code S3Fifo} and {@code WindowTinyLfu} keep queues.
 */
package dev.terrace.tier.local.policy;
