package dev.terrace.tier.local;

import java.util.Arrays;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The runs of chunks in a segment, in their order, and which of them are in the way of one more. For one thread. */
final class Windows {
    private final int chunkCount;
    private final int[] starts;
    private final int[] ends;
    private final int[] slots;

    /** @param runs where each begins, as the upper half of a number, above its slot; sorted by this */
    Windows(Chunks chunks, int chunkCount, long[] runs) {
        this.chunkCount = chunkCount;
        this.starts = Arrays.stream(runs).mapToInt(run -> (int) (run >>> 32)).toArray();
        this.ends = Arrays.stream(starts).map(chunks::end).toArray();
        this.slots = Arrays.stream(runs).mapToInt(run -> (int) run).toArray();
    }

    /**
     * The slots of those who have to go for a run of {@code wanted} chunks: as few as possible, and of as few chunks as possible; null when
     * wherever it could lie there is one that may not go. So a large one rather makes way than many small ones.
     */
    int @Nullable [] cheapest(int wanted, IntPredicate mayGo) {
        int[] best = null;
        long least = Long.MAX_VALUE;
        int past = 0;
        int taken = 0;
        int staying = 0;
        // A window that costs the least begins where a run ends: it can be moved there from further up, and only gets
        // cheaper.
        for (int first = 0; first <= starts.length; first++) {
            int from = first == 0 ? 0 : ends[first - 1];
            if (first > 0 && past >= first) {
                taken -= ends[first - 1] - starts[first - 1];
                staying -= mayGo.test(slots[first - 1]) ? 0 : 1;
            }
            past = Math.max(past, first);
            if (from + wanted > chunkCount) {
                break;
            }
            for (; past < starts.length && starts[past] < from + wanted; past++) {
                taken += ends[past] - starts[past];
                staying += mayGo.test(slots[past]) ? 0 : 1;
            }
            long cost = (long) (past - first) << Integer.SIZE | taken;
            if (staying == 0 && cost < least) {
                least = cost;
                best = Arrays.copyOfRange(slots, first, past);
            }
        }
        return best;
    }
}
