/**
 * The coordinator: the only place where tiers meet.
 *
 * <p>{@link dev.terrace.core.CacheCoordinator} opens tiers and hands out caches; {@link dev.terrace.core.WarmupPlan},
 * {@link dev.terrace.core.WarmupProgress} and {@link dev.terrace.core.WarmupReport} describe warm-up jobs. Everything else
 * is package-private and has one concern: {@code Cascade} finds, {@code Flights} lets one search per key run, {@code
 * Answers} and {@code BulkAnswers} put the two together, {@code Loads} asks the origin, {@code Fills} copies upwards, {@code
 * Writes} stores, {@code LocalCopies} orders writes and fills in L1, {@code ConditionalWrites} compares and sets, {@code
 * Markers} clear caches, {@code MissedWrites} remembers what a tier has yet to hear.
 *
 * <h2>Why a late fill never brings back an old value</h2>
 *
 * <p>A {@code Flight} draws its version when the miss begins, and a load's result is stored under that version. A write or
 * an invalidation that happens meanwhile draws a later one, so in L2 and L3 the result loses by the if-newer rule. L1 may
 * evict the newer entry or the tombstone before the result arrives, so L1 fills need more: a write fences the key's flights
 * and stores under the key's lock stripe, and a fill checks its fence and stores under the same stripe. Whichever comes
 * first, the older one does not stay. A fenced flight leaves the table of flights at once: whoever calls after the write
 * returned starts a new search. A load that outlives its timeout stays listed until its loader has really ended, so that it
 * can still be fenced. A fill whose flight began longer ago than tombstones are kept is refused.
 *
 * <p>A search takes newcomers only while it runs. Were it to live on as long as somebody is in it, overlapping readers could
 * keep an old answer alive for ever.
 *
 * <p>{@code StaleFillTest} and {@code NoStaleReadStressTest} fail when one of this is taken away.
 */
package dev.terrace.core;
