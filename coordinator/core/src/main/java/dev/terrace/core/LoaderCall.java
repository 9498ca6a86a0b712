package dev.terrace.core;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** How a user's loader is called, for one key or many. */
interface LoaderCall {
    /**
     * What the loader says, by flight; a flight that is missing has no value at the origin. The stage fails, or the call throws, when
     * the loader does.
     */
    CompletionStage<Map<Flight, Brought>> call(Load load) throws Exception;

    /** True when {@link #call} returns only when the loader has ended, and so needs a thread of its own. */
    boolean blocks();
}
