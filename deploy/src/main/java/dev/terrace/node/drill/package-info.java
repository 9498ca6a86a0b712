/**
 * {@code terrace drill}: builds a throw-away deployment, puts load on it, breaks it on purpose, brings it back, and checks by digest and
 * version that what was acknowledged as durable is there. {@link dev.terrace.node.drill.Drills} runs them, {@link
 * dev.terrace.node.drill.DrillReport} says how it went; a {@link dev.terrace.node.drill.Drill} is what is broken and how it is brought back.
 * Commands that an operator would type are typed here, too ({@link dev.terrace.node.drill.Operator}).
 */
package dev.terrace.node.drill;
