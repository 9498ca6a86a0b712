package dev.terrace.core;

import dev.terrace.config.LoadingRules;

/**
 * A flight whose load somebody has taken upon himself.
 *
 * @param rules how long its callers wait
 */
record Claim(Flight flight, LoadingRules rules) {}
