/**
 * {@code terrace replay}: a recorded sequence of keys, read through all three tiers, with a check that the numbers add up.
 * Public: {@link dev.terrace.node.replay.ReplayCommand}.
 */
package dev.terrace.node.replay;
