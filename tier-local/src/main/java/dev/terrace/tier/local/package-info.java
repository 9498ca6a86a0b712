/**
 * L1 on Chronicle Map: off-heap, in process, bounded.
 *
 * <p>{@link dev.terrace.tier.local.ChronicleTierProvider} opens it. Inside, {@code ChronicleTier} decides, {@code
 * SlotTable} knows what is resident, {@code policy} who goes next, and {@code OffHeapMap} is the only class that touches Chronicle.
 */
package dev.terrace.tier.local;
