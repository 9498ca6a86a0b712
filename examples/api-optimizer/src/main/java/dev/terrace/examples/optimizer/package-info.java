/**
 * Terrace before a slow, flaky HTTP API, with everything that it depends on inside the same program, so that a script can break it: {@link
 * dev.terrace.examples.optimizer.ApiOptimizer} is where it starts.
 */
package dev.terrace.examples.optimizer;
