/**
 * Breaking things at random, but the same way again: a {@link dev.terrace.testkit.nemesis.Nemesis} draws a {@link
 * dev.terrace.testkit.nemesis.Schedule} of {@link dev.terrace.testkit.nemesis.Fault}s from a seed and carries it out.
 */
package dev.terrace.testkit.nemesis;
