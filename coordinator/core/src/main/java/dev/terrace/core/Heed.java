package dev.terrace.core;

import dev.terrace.spi.Notice;
import java.util.concurrent.CompletionStage;

/** Does what notices of other nodes say. Thread-safe. */
interface Heed {
    /** A key was written or invalidated elsewhere. */
    void changed(Notice.Changed notice);

    /** A whole cache was cleared elsewhere. */
    void marker(Notice.Marker notice);

    /** A program outside changed a key. */
    void external(Notice.External notice);

    /** Everything that this process holds may be old; completes with false when it could not find out what is new. */
    CompletionStage<Boolean> gap();
}
