/** Reading through from an HTTP origin: {@link dev.terrace.node.origin.HttpOrigin} fetches, {@link
 * dev.terrace.node.origin.OriginResponse} is what is cached. */
package dev.terrace.node.origin;
