package dev.terrace.api;

import java.time.Instant;

/**
 * A node went from one rung to another.
 *
 * @param from where it was
 * @param to where it is
 * @param at when, by the wall clock
 * @param cause why, for people
 * @param pinned whether an operator wants it there
 */
public record LadderMove(Rung from, Rung to, Instant at, String cause, boolean pinned) {}
