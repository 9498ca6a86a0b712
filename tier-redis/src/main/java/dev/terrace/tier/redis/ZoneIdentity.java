package dev.terrace.tier.redis;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node knows about who a zone is: the record that lies in the zone, read again whenever a fence said no. Many callers
 * that find the fence closed at once share one reading. Thread-safe.
 */
final class ZoneIdentity {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneIdentity.class);

    private final String zone;
    private final String recordKey;
    private final AtomicReference<@Nullable CompletableFuture<Reading>> reading = new AtomicReference<>();
    private volatile @Nullable FencedScripts scripts;
    private volatile String foreign = "";
    private volatile long checkedNanos = System.nanoTime() - Long.MAX_VALUE / 2;

    ZoneIdentity(String zone, String recordKey) {
        this.zone = zone;
        this.recordKey = recordKey;
    }

    /** What lies in the zone. */
    enum Reading {
        /** A record of this zone; {@link #scripts} are its. */
        OURS,
        /** No record. */
        NONE,
        /** A record of another zone, or none that this build can read. */
        FOREIGN
    }

    /** The scripts of the incarnation last read or made here; null when none is known. */
    @Nullable
    FencedScripts scripts() {
        return scripts;
    }

    /** Says which zone this is instead; empty when nothing speaks against its being ours. */
    String foreign() {
        return foreign;
    }

    /** True when the record was looked at less than {@code nanos} ago. */
    boolean checkedWithin(long nanos) {
        return System.nanoTime() - checkedNanos < nanos;
    }

    /** Reads the record, or joins those who are reading it. */
    CompletionStage<Reading> read(Supplier<CompletionStage<@Nullable String>> record, boolean cluster) {
        CompletableFuture<Reading> mine = new CompletableFuture<>();
        while (true) {
            CompletableFuture<Reading> running = reading.get();
            if (running != null) {
                return running;
            }
            if (reading.compareAndSet(null, mine)) {
                break;
            }
        }
        CompletionStage<@Nullable String> text;
        try {
            text = record.get();
        } catch (RuntimeException e) {
            text = CompletableFuture.failedStage(e);
        }
        text.whenComplete((found, failure) -> {
            reading.set(null);
            if (failure == null) {
                mine.complete(note(found, cluster));
            } else {
                mine.completeExceptionally(Failures.root(failure));
            }
        });
        return mine;
    }

    private synchronized Reading note(@Nullable String text, boolean cluster) {
        checkedNanos = System.nanoTime();
        if (text == null) {
            foreign = "";
            return Reading.NONE;
        }
        Incarnation found = Incarnation.parse(text);
        if (found == null || !found.zone().equals(zone)) {
            String why = found == null
                    ? "what lies under " + recordKey + " is no record of a zone that this build can read"
                    : "the server is zone '" + found.zone() + "', not '" + zone
                            + "': check the zones' nodes in the settings";
            if (!why.equals(foreign)) {
                LOG.error("zone refused zone={} reason={}", zone, why);
            }
            foreign = why;
            return Reading.FOREIGN;
        }
        foreign = "";
        FencedScripts known = scripts;
        if (known == null || !known.incarnation().equals(found)) {
            LOG.info("zone incarnation zone={} token={}", zone, found.token());
            scripts = scriptsOf(found, cluster);
        }
        return Reading.OURS;
    }

    /** Notes an incarnation that this node has just made. */
    synchronized void admitted(FencedScripts made) {
        scripts = made;
        foreign = "";
        checkedNanos = System.nanoTime();
    }

    FencedScripts scriptsOf(Incarnation incarnation, boolean cluster) {
        // In a cluster the record lies in one shard, where scripts of the others cannot look.
        return FencedScripts.of(incarnation, cluster ? "" : recordKey);
    }
}
