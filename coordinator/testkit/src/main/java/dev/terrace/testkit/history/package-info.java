/**
 * Judging what clients of a cache saw. A {@link dev.terrace.testkit.history.HistoryRecorder} notes every operation with the
 * time it was invoked and the time it returned; the {@link dev.terrace.testkit.history.History} that comes out is given to
 * checkers, each of which answers with a {@link dev.terrace.testkit.history.Verdict}:
 *
 * <ul>
 *   <li>{@link dev.terrace.testkit.history.LinearizabilityChecker}: every key behaves like one atomic register; puts,
 *       conditional writes, increments, invalidations
 *   <li>{@link dev.terrace.testkit.history.UniqueWriteChecker}: the same for plain writes of unique values, for millions
 *       of operations
 *   <li>{@link dev.terrace.testkit.history.StalenessChecker}: strict, bounded and eventual freshness, monotonic reads,
 *       read-your-writes
 *   <li>{@link dev.terrace.testkit.history.DurabilityChecker}: no acknowledged write is lost
 *   <li>{@link dev.terrace.testkit.history.PlacementChecker}: every zone that should hold a key holds its newest version
 * </ul>
 *
 * <p>{@link dev.terrace.testkit.history.HistoryReport} collects verdicts and writes them, with the history, to a folder.
 *
 * <p>A key is absent when a history begins. A write that ended without proof either way is <em>unknown</em>: it stays open
 * for ever, may take effect at any later time or never, and checkers allow both. Two operations overlap unless one returned
 * strictly before the other was invoked.
 */
package dev.terrace.testkit.history;
