/**
 * L1 on Chronicle Map: off-heap, in process, bounded.
 *
 * <p>{@link dev.terrace.tier.local.ChronicleTierProvider} opens it. Inside, {@code Shelf} holds what is resident, {@code
 * LocalReads}, {@code LocalWrites} and {@code Clearing} read, write and give back, {@code SlotTable} knows the slots, {@code policy} who
 * goes next, and {@code OffHeapMap} is the class that touches Chronicle, with {@code MapPages} for the memory under it. {@code Groups}
 * and {@code Budget} count by cache and class and keep shares, {@code Shrinking} follows the container.
 */
package dev.terrace.tier.local;
