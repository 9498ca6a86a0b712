package dev.terrace.core;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Persisted;
import dev.terrace.spi.Persisted.Inheritance;
import dev.terrace.spi.Resumable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when what an earlier process left in L1 is believed, and keeps for the next process up to where the logs were heard. See {@code
 * docs/adr/0021}.
 *
 * <p>The logs go on where the earlier process stopped, before anything new is heard of them. This node's first own beat stands behind all
 * that was missed; when it comes back over a majority of the logs, what was left and not dropped by then is current. A gap drops it, as it
 * drops every copy.
 */
final class Inheriting {
    private static final Logger LOG = LoggerFactory.getLogger(Inheriting.class);

    private final LocalTier local;
    private final Persisted persisted;
    private final List<Backplane> logs;
    private final boolean replayable;
    private final Coherence coherence;
    private final HybridClock clock;
    private boolean confirmed;

    private Inheriting(
            LocalTier local,
            Persisted persisted,
            List<Backplane> channels,
            int logs,
            Coherence coherence,
            HybridClock clock) {
        this.local = local;
        this.persisted = persisted;
        this.logs = List.copyOf(channels.subList(0, logs));
        this.replayable = this.logs.stream().allMatch(Resumable.class::isInstance) && (logs > 0 || channels.isEmpty());
        this.coherence = coherence;
        this.clock = clock;
    }

    /**
     * Null when L1 is gone with its process.
     *
     * @param channels those to the other nodes, the logs first
     */
    static @Nullable Inheriting of(
            @Nullable LocalTier local, List<Backplane> channels, int logs, Coherence coherence, HybridClock clock) {
        return local instanceof Persisted persisted
                ? new Inheriting(local, persisted, channels, logs, coherence, clock)
                : null;
    }

    /** To be called before channels are started. */
    void begin() {
        Inheritance found = persisted.inherited();
        Map<String, String> known = found.places();
        Map<String, String> places = known == null ? Map.of() : known;
        boolean follows = replayable && known != null && logs.stream().allMatch(log -> places.containsKey(log.name()));
        // Or else a write of this process could be older than what it replaces, when the wall clock went back.
        boolean replaceable = clock.observe(found.newest());
        if (found.entries() > 0 && !(follows && replaceable)) {
            LOG.info(
                    "what an earlier process left in L1 is dropped, {} entries={}",
                    follows ? "it is from the future of this clock" : "it is not known what was missed",
                    found.entries());
            local.dropAll();
        }
        if (follows && found.entries() > 0) {
            for (Backplane log : logs) {
                String place = places.get(log.name());
                if (place != null && log instanceof Resumable resumable) {
                    resumable.resumeFrom(place);
                }
            }
        }
        if (logs.isEmpty() || !follows || found.entries() == 0) {
            // Without logs nobody would have told this process either, had it been there.
            confirm();
        }
        if (logs.isEmpty()) {
            // A later process that has logs must not go on where an earlier one stopped: this one did not listen.
            persisted.keepPlaces(replayable ? Map.of() : null);
        } else {
            persisted.keepPlaces(follows ? places : null);
        }
    }

    private void confirm() {
        confirmed = true;
        persisted.confirm();
    }

    /** To be called now and then, and last when nothing is heard any more. By one thread at a time. */
    void keep() {
        if (!replayable || logs.isEmpty()) {
            return;
        }
        Map<String, String> places = new HashMap<>();
        for (Backplane log : logs) {
            String place = log instanceof Resumable resumable ? resumable.bookmark() : null;
            if (place != null) {
                places.put(log.name(), place);
            }
        }
        // After the places: what lies behind a gap is no place to go on from until everything was dropped.
        boolean known = !coherence.isSweeping() && places.size() == logs.size();
        persisted.keepPlaces(known ? places : null);
        if (known && !confirmed && coherence.hasHeard()) {
            confirm();
        }
    }
}
