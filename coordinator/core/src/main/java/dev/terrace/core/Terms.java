package dev.terrace.core;

import dev.terrace.spi.ReplicationMode;

/**
 * What is asked of one write.
 *
 * @param mode how many copies in L2 must acknowledge it
 * @param durable whether it waits for L3's log
 */
record Terms(ReplicationMode mode, boolean durable) {}
