package dev.terrace.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a node stands on the ladder.
 *
 * @param rung the rung
 * @param since since when, by the wall clock
 * @param cause why it is there; empty at the start
 * @param lift what would bring it a rung higher; empty on {@link Rung#NORMAL}
 * @param pin an operator's order to stay there; null without one
 * @param spent time spent on each rung since the start, this stay included
 * @param moves how often it has moved since the start
 * @param signals what the parts are judged to be, by their name: {@code l2} to {@code down: no answer within 250 ms}
 */
public record LadderStatus(
        Rung rung,
        Instant since,
        String cause,
        String lift,
        @Nullable Pin pin,
        Map<Rung, Duration> spent,
        long moves,
        Map<String, String> signals) {
    /** Copies the maps. */
    public LadderStatus {
        spent = Map.copyOf(spent);
        signals = Map.copyOf(signals);
    }

    /**
     * An order to stay on a rung, whatever the signals say.
     *
     * @param rung where to stay
     * @param until when it ends by itself, by the wall clock
     * @param by who gave it
     * @param why the reason given
     */
    public record Pin(Rung rung, Instant until, String by, String why) {}
}
