/** The runnable node; {@link dev.terrace.node.Main} is the {@code terrace} command. */
package dev.terrace.node;
