package dev.terrace.core;

import dev.terrace.core.origin.WriteBehind;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal.Dead;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What waits for the origin and what was given up, for people. Thread-safe. */
public final class Journal {
    private final WriteBehind behind;
    private final OriginWrites writes;
    private final HybridClock clock;

    Journal(WriteBehind behind, OriginWrites writes, HybridClock clock) {
        this.clock = clock;
        this.behind = behind;
        this.writes = writes;
    }

    /** What waits, oldest first. */
    public List<JournalItem> pending() {
        return behind.standings().stream().map(this::item).toList();
    }

    private JournalItem item(WriteBehind.Standing standing) {
        JournalItem.State state = standing.busy()
                ? JournalItem.State.WRITING
                : !standing.hasWriter()
                        ? JournalItem.State.NO_WRITER
                        : standing.attempts() > 0 ? JournalItem.State.RETRYING : JournalItem.State.WAITING;
        return new JournalItem(
                standing.entry(), state, age(standing.sinceMillis()), standing.attempts(), standing.lastFailure());
    }

    /** The dead letters, oldest first. */
    public List<JournalItem> dead() {
        return behind.dead().stream().map(this::item).toList();
    }

    private long age(long sinceMillis) {
        return Math.max(0, clock.millis() - sinceMillis);
    }

    private JournalItem item(Dead dead) {
        return new JournalItem(
                dead.entry(), JournalItem.State.DEAD, age(dead.sinceMillis()), dead.attempts(), dead.reason());
    }

    /** The one of this {@linkplain JournalItem#id id}; null when it neither waits nor is dead. */
    public @Nullable JournalItem find(String id) {
        return Stream.concat(dead().stream(), pending().stream())
                .filter(item -> item.id().equals(id))
                .findFirst()
                .orElse(null);
    }

    /** A dead letter waits again, with its old version. Completes with null, or with why it stays what it is, for people. */
    public CompletionStage<@Nullable String> retry(String id) {
        JournalItem item = find(id);
        if (item == null || item.state() != JournalItem.State.DEAD) {
            return CompletableFuture.completedStage("there is no dead letter " + id);
        }
        CacheKey key = item.entry().key();
        Version version = item.entry().version();
        return writes.retry(key, version);
    }

    /** Forgets a dead letter, or a write that waits: the origin will not get it. Completes with null, or with why not, for people. */
    public CompletionStage<@Nullable String> drop(String id) {
        JournalItem item = find(id);
        return item == null
                ? CompletableFuture.completedStage("nothing waits and nothing is dead under " + id)
                : behind.drop(item.entry().version());
    }

    /** Bytes of what waits. */
    public long pendingBytes() {
        return behind.bytes();
    }

    /** Why nothing can be journaled; null when it can. */
    public @Nullable String trouble() {
        return behind.trouble();
    }
}
