package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import java.util.concurrent.CompletableFuture;

/**
 * A write that waits for the writer.
 *
 * @param entry what to store
 * @param condition when
 * @param bytes length of its envelope
 * @param outcome completed by the writer, or by the deadline
 */
record Write(Entry entry, WriteCondition condition, int bytes, CompletableFuture<StoreOutcome> outcome) {}
