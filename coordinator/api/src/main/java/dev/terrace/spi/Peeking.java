package dev.terrace.spi;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A tier that can say which version of a key it holds without sending the value. */
public interface Peeking {
    /**
     * Which versions are held, of entries of all kinds.
     *
     * @return completes normally, within the tier's deadline, with {@link Version#ZERO} where nothing is held that could be read; keys for
     *     which there was no answer are missing
     */
    CompletionStage<Map<CacheKey, Version>> versions(Collection<CacheKey> keys);
}
