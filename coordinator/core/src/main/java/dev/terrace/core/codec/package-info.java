/** Codecs that need a library: {@link dev.terrace.core.codec.JsonCodec}. */
package dev.terrace.core.codec;
