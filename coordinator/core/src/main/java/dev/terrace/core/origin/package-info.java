/**
 * Writes on their way to the system of record. {@link dev.terrace.core.origin.WriterCalls} calls users' writers within a bounded time;
 * {@link dev.terrace.core.origin.WriteBehind} keeps, orders, batches and retries what is written behind, by the decisions of
 * {@link dev.terrace.core.origin.Waiting}. Nothing here knows of tiers. {@code docs/write-policies.md} says what is promised.
 */
package dev.terrace.core.origin;
