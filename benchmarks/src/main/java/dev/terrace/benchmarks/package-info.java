/** Benchmarks of Terrace beside its peers and the raw engines, in one run; results are in {@code docs/performance.md}. */
package dev.terrace.benchmarks;
