/**
 * The node's HTTP interface: {@link dev.terrace.node.http.HttpNode} listens; inside, {@code Router} picks a handler by the
 * raw path, {@code Exchange} is one request and its answer, and everything that goes wrong becomes a JSON problem (RFC
 * 9457).
 */
package dev.terrace.node.http;
