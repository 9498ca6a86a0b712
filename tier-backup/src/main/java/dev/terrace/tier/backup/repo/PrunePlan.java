package dev.terrace.tier.backup.repo;

import java.util.List;

/**
 * What a prune would do; nothing was done.
 *
 * @param state the chain that was looked at
 * @param staying segments that stay, the open one last
 * @param going segments that go
 */
public record PrunePlan(ChainState state, List<Segment> staying, List<Segment> going) {
    /** Copies. */
    public PrunePlan {
        staying = List.copyOf(staying);
        going = List.copyOf(going);
    }

    /** Decides by {@code policy}. */
    public static PrunePlan of(ChainState state, KeepPolicy policy) {
        List<Segment> staying = policy.choose(state.segments());
        return new PrunePlan(
                state,
                staying,
                state.segments().stream()
                        .filter(segment -> !staying.contains(segment))
                        .toList());
    }
}
