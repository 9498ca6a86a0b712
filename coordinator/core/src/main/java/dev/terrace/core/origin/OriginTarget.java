package dev.terrace.core.origin;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** A user's writer, told of bytes. */
public sealed interface OriginTarget {
    /** True when one call may carry several writes. */
    boolean takesMany();

    /** The user's object, by which two are told apart. */
    Object writer();

    /** One that holds a thread while it works. */
    non-sealed interface Blocking extends OriginTarget {
        /**
         * Calls the writer; one answer for each call, in their order.
         *
         * @throws Exception what the writer threw
         */
        List<WriteAnswer> write(List<OriginCall> calls) throws Exception;
    }

    /** One that does not. */
    non-sealed interface Async extends OriginTarget {
        /** As {@link Blocking#write}; may fail, and may throw. */
        CompletionStage<List<WriteAnswer>> write(List<OriginCall> calls);
    }
}
