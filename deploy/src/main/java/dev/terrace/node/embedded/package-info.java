/**
 * The Redis that comes with the node: a real redis-server as a child process, for a node that has nothing else. Public:
 * {@link dev.terrace.node.embedded.EmbeddedRedis}.
 */
package dev.terrace.node.embedded;
