package dev.terrace.core;

import dev.terrace.failover.LadderKeeper;

/**
 * What steps down and up: a coordinator's share in the ladder.
 *
 * @param keeper decides
 * @param vitals tells it how things are
 * @param enforcement makes it felt
 */
record Degrading(LadderKeeper keeper, Vitals vitals, Enforcement enforcement) implements AutoCloseable {
    @Override
    public void close() {
        keeper.close();
        vitals.close();
    }
}
