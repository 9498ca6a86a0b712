/**
 * L1: off-heap, in process, bounded.
 *
 * <p>{@link dev.terrace.tier.local.OffHeapTierProvider} opens it. Inside, {@code Shelf} holds what is resident, {@code
 * LocalReads}, {@code LocalWrites} and {@code Clearing} read, write and give back, {@code SlotTable} knows the slots, {@code policy} who
 * goes next, and {@code MemoryMap} and {@code FileMap} are where entries lie, the first of {@code MemoryPart}s over {@code Cells}. {@code Groups}
 * and {@code Budget} count by cache and class and keep shares, {@code Shrinking} follows the container.
 */
package dev.terrace.tier.local;
