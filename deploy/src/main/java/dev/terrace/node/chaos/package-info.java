/** Breaking things on purpose: {@link dev.terrace.node.chaos.Chaos}. */
package dev.terrace.node.chaos;
