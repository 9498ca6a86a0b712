package dev.terrace.spi;

import java.util.concurrent.CompletionStage;

/** Asks servers whether they are zones of their own, or parts of one deployment. Thread-safe. */
public interface ZoneDetection extends AutoCloseable {
    /** True when they are zones of their own. Completes once one of them has answered; never, if none does. */
    CompletionStage<Boolean> several();

    /** Why it is not known yet, for people. */
    String trouble();

    /** Stops asking. Idempotent. */
    @Override
    void close();
}
