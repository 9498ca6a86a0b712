package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.api.ClosedException;
import dev.terrace.api.OriginState;
import dev.terrace.api.OriginWriteException;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.SetupException;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.config.JournalSettings;
import dev.terrace.config.Policies;
import dev.terrace.config.WritePolicy;
import dev.terrace.core.origin.OriginCall;
import dev.terrace.core.origin.OriginTarget;
import dev.terrace.core.origin.WriteAnswer;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.core.origin.WriterCalls;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where write policies plug in: brings a user's write to the origin before the tiers, or into the journal, or leaves it to them alone.
 * Thread-safe.
 *
 * <p><b>Through.</b> The version is drawn, the origin is called with it, then the tiers take the entry under that same version: so of two
 * nodes' writes the tiers keep the one that an origin that goes by versions keeps. Whatever had a later version in the tiers by then
 * (a load that read the origin before it took the write, or another node's write) makes the outcome doubtful, and the key is invalidated.
 * What the origin refused has changed nothing; what it may have taken is invalidated, and once more when a call that outlived its
 * time has ended.
 *
 * <p><b>Behind.</b> The version is drawn, the journal takes the entry, then the tiers.
 *
 * <p>Writes of one key follow one another on this node, from the drawing of the version to the tiers.
 */
final class OriginWrites implements AutoCloseable {
    private final Policies policies;
    private final JournalSettings journal;
    private final HybridClock clock;
    private final Writes writes;
    private final ConditionalWrites conditional;
    private final Invalidations invalidations;
    private final WriterCalls calls;
    private final KeyQueue queue = new KeyQueue();
    /** Writes that were given to the journal and are on their way into the tiers. */
    private final ConcurrentHashMap<Version, CompletableFuture<Void>> storing = new ConcurrentHashMap<>();

    private final ConcurrentHashMap<String, OriginTarget> targets = new ConcurrentHashMap<>();
    private @Nullable WriteBehind behind;
    private @Nullable WriterCalls later;
    private @Nullable WriteJournal kept;

    /** Drops what the caches hold of a key. */
    @FunctionalInterface
    interface Invalidations {
        /** Completes when it is done, or cannot be done; may fail. */
        CompletionStage<WriteReceipt> invalidate(CacheKey key);
    }

    OriginWrites(
            Policies policies,
            HybridClock clock,
            Writes writes,
            ConditionalWrites conditional,
            Invalidations invalidations,
            WriterCalls calls) {
        this.policies = policies;
        this.journal = policies.settings().journal();
        this.clock = clock;
        this.writes = writes;
        this.conditional = conditional;
        this.invalidations = invalidations;
        this.calls = calls;
    }

    /** Must be called before the first write, where some policy writes behind. All of them are closed with this. */
    void behind(WriteBehind newBehind, WriterCalls newLater, WriteJournal newKept) {
        behind = newBehind;
        later = newLater;
        kept = newKept;
    }

    /** Hands to the tiers again what waited when the process ended: they may not have had it then. */
    void restore() {
        if (behind == null) {
            return;
        }
        CompletionStage<?> last = CompletableFuture.completedStage(null);
        for (Entry entry : behind.pending()) {
            clock.observe(entry.version());
            if (!entry.isExpired(clock.millis())) {
                Terms terms = new Terms(ReplicationMode.ASYNC, false);
                // One after the other, so that a full journal does not flood L2; a tier that is away hears of it later.
                last = last.thenCompose(done -> writes.store(entry, terms).handle((receipt, failure) -> receipt));
            }
        }
    }

    @Nullable
    WriteBehind behind() {
        return behind;
    }

    /**
     * Says how a cache is written.
     *
     * @throws BadInputException when it has been said already
     */
    @SuppressWarnings("ReferenceEquality") // whether it is the same writer, not an equal one
    void target(String cache, OriginTarget target) {
        OriginTarget known = targets.putIfAbsent(cache, target);
        if (known != null && known.writer() != target.writer()) {
            throw new BadInputException(
                    "cache '" + cache + "' has another writer already",
                    "give a cache one writer, when it is first opened");
        }
        if (behind != null) {
            behind.dispatch();
        }
    }

    @Nullable
    OriginTarget target(String cache) {
        return targets.get(cache);
    }

    /** How a key is written; what is not set means through where there is a writer. */
    WritePolicy policy(CacheKey key) {
        WritePolicy set = (policies.hasClasses()
                        ? policies.of(key.cache(), () -> new String(key.keyBytes(), StandardCharsets.UTF_8))
                        : policies.ofCache(key.cache()))
                .write();
        if (set != null) {
            return set;
        }
        return targets.containsKey(key.cache()) ? THROUGH : ASIDE;
    }

    /** True when writes of {@code key} reach the origin, at once or later. */
    boolean reaches(CacheKey key) {
        return policy(key).policy() != WritePolicy.Kind.ASIDE;
    }

    private static final WritePolicy ASIDE = WritePolicy.defaults();
    private static final WritePolicy THROUGH = ASIDE.withPolicy(WritePolicy.Kind.THROUGH);

    /** The write that {@code key} waits to have at the origin; null when there is none. */
    @Nullable
    Entry pending(CacheKey key) {
        WriteBehind known = behind;
        return known == null ? null : known.pending(key);
    }

    /** A user's write, or removal. */
    CompletionStage<WriteReceipt> write(Intent intent) {
        WritePolicy policy = policy(intent.key());
        if (policy.policy() == WritePolicy.Kind.ASIDE) {
            return conditional.plain(intent);
        }
        OriginTarget target = targets.get(intent.key().cache());
        if (target == null) {
            String cache = intent.key().cache();
            return CompletableFuture.failedStage(new SetupException(
                    "cache '" + cache + "' is set to write " + word(policy) + ", but has no writer",
                    "open it with one, or set caches." + cache + ".write.policy: aside"));
        }
        return queue.run(
                intent.key(),
                () -> policy.policy() == WritePolicy.Kind.THROUGH ? through(intent, target, policy) : behind(intent));
    }

    /** Many of them; a writer that takes several, and is called while callers wait, gets many in a call. */
    CompletionStage<List<WriteReceipt>> writeAll(List<Intent> intents) {
        boolean aside = true;
        for (Intent intent : intents) {
            aside &= policy(intent.key()).policy() == WritePolicy.Kind.ASIDE;
        }
        if (aside) {
            return conditional.plainAll(intents);
        }
        List<CompletableFuture<WriteReceipt>> receipts = new ArrayList<>();
        Map<Batch.Of, Batch> gathering = new HashMap<>();
        for (Intent intent : intents) {
            WritePolicy policy = policy(intent.key());
            OriginTarget target = targets.get(intent.key().cache());
            if (target == null || !target.takesMany() || policy.policy() != WritePolicy.Kind.THROUGH) {
                receipts.add(write(intent).toCompletableFuture());
                continue;
            }
            Batch batch = gathering.computeIfAbsent(new Batch.Of(target, policy), Batch::new);
            if (batch.writes.size() >= policy.batch() || batch.writes.containsKey(intent.key())) {
                // Never two changes of one key in a call.
                through(batch);
                batch = new Batch(batch.of);
                gathering.put(batch.of, batch);
            }
            receipts.add(batch.add(intent));
        }
        gathering.values().forEach(this::through);
        return Writes.joined(receipts);
    }

    /** Writes that go to a writer in one call. Not thread-safe. */
    private static final class Batch {
        final Of of;
        final Map<CacheKey, Write> writes = new LinkedHashMap<>();

        record Of(OriginTarget target, WritePolicy policy) {}

        record Write(Intent intent, CompletableFuture<WriteReceipt> receipt) {}

        Batch(Of of) {
            this.of = of;
        }

        CompletableFuture<WriteReceipt> add(Intent intent) {
            Write write = new Write(intent, new CompletableFuture<>());
            writes.put(intent.key(), write);
            return write.receipt();
        }
    }

    private void through(Batch batch) {
        List<Batch.Write> writes = List.copyOf(batch.writes.values());
        queue.runAll(batch.writes.keySet(), () -> {
                    List<Entry> entries = new ArrayList<>();
                    writes.forEach(write -> entries.add(write.intent().make().apply(clock.next())));
                    WriterCalls.Started started = calls.start(
                            batch.of.target(),
                            entries.stream()
                                    .map(entry -> new OriginCall(entry, 1))
                                    .toList(),
                            batch.of.policy().timeout());
                    return started.answered().thenCompose(answers -> {
                        List<CompletableFuture<?>> ends = new ArrayList<>();
                        for (int i = 0; i < writes.size(); i++) {
                            Batch.Write write = writes.get(i);
                            ends.add(answered(entries.get(i), write.intent().terms(), answers.get(i), started)
                                    .handle((receipt, failure) -> failure == null
                                            ? write.receipt().complete(receipt)
                                            : write.receipt().completeExceptionally(Gate.unwrapped(failure)))
                                    .toCompletableFuture());
                        }
                        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
                    });
                })
                .whenComplete((done, bug) -> {
                    if (bug != null) {
                        writes.forEach(write -> write.receipt().completeExceptionally(Gate.unwrapped(bug)));
                    }
                });
    }

    /**
     * The origin cannot be asked to decide, and what the cache decides alone the origin may refuse.
     *
     * @throws BadInputException when writes of {@code key} reach the origin
     */
    void refuseConditional(String what, CacheKey key) {
        WritePolicy policy = policy(key);
        if (policy.policy() != WritePolicy.Kind.ASIDE) {
            throw new BadInputException(
                    what + " is not possible in cache '" + key.cache() + "', which writes " + word(policy)
                            + ": the condition would be judged by the cache, and the origin might hold something else",
                    "let the origin decide and invalidate the key, or use put");
        }
    }

    private static String word(WritePolicy policy) {
        return policy.policy() == WritePolicy.Kind.THROUGH ? "through" : "behind";
    }

    private CompletionStage<WriteReceipt> through(Intent intent, OriginTarget target, WritePolicy policy) {
        Entry entry = intent.make().apply(clock.next());
        WriterCalls.Started started = calls.start(target, List.of(new OriginCall(entry, 1)), policy.timeout());
        return started.answered().thenCompose(answers -> answered(entry, intent.terms(), answers.get(0), started));
    }

    /** The origin has said what became of a write, or its time is over. */
    private CompletionStage<WriteReceipt> answered(
            Entry entry, Terms terms, WriteAnswer answer, WriterCalls.Started started) {
        if (answer.kind() == WriteAnswer.Kind.TAKEN) {
            return tiers(entry, terms, OriginState.WRITTEN);
        }
        if (answer.kind() != WriteAnswer.Kind.UNKNOWN) {
            return CompletableFuture.failedStage(refusal(entry.key(), answer, false));
        }
        // What happened is only known to be over when the call has ended; until then it may happen yet.
        boolean over = started.ended().isDone();
        return dropped(entry.key()).thenCompose(done -> {
            if (!over) {
                started.ended().thenRun(() -> dropped(entry.key()));
            }
            return CompletableFuture.failedStage(refusal(entry.key(), answer, true));
        });
    }

    private static OriginWriteException refusal(CacheKey key, WriteAnswer answer, boolean unknown) {
        boolean never = answer.kind() == WriteAnswer.Kind.REJECTED;
        return new OriginWriteException(
                "the origin of cache '" + key.cache() + "' "
                        + (unknown
                                ? "may or may not have taken a write ("
                                : never ? "refuses a write (" : "took no write (")
                        + answer.reason() + "); "
                        + (unknown ? "the key was invalidated" : "the cache was not changed"),
                unknown ? "read the value before trying again" : never ? "" : "try again later",
                answer.why(),
                unknown);
    }

    private CompletionStage<WriteReceipt> behind(Intent intent) {
        WriteBehind writer = behind;
        if (writer == null) {
            return CompletableFuture.failedStage(new SetupException(
                    "cache '" + intent.key().cache() + "' is set to write behind, but there is no journal", ""));
        }
        Entry made = intent.make().apply(clock.next());
        Entry entry = made.isValue() ? made : absence(made);
        CompletableFuture<Void> stored = new CompletableFuture<>();
        storing.put(entry.version(), stored);
        return accepted(writer, entry, intent.terms()).whenComplete((receipt, failure) -> {
            storing.remove(entry.version());
            stored.complete(null);
        });
    }

    /** Completes when the tiers have been handed the write of this version; an origin may be faster than they. */
    CompletionStage<Void> stored(Version version) {
        CompletableFuture<Void> under = storing.get(version);
        return under == null ? CompletableFuture.completedStage(null) : under;
    }

    private CompletionStage<WriteReceipt> accepted(WriteBehind writer, Entry entry, Terms terms) {
        return writer.accept(entry).thenCompose(acceptance -> switch (acceptance) {
            case ACCEPTED -> tiers(entry, terms, OriginState.JOURNALED);
            case CLOSED -> CompletableFuture.failedStage(new ClosedException("the cache coordinator"));
            case FULL ->
                CompletableFuture.failedStage(
                        new UnavailableException(
                                "the journal has no room for a write to cache '"
                                        + entry.key().cache() + "': " + writer.size()
                                        + " writes and " + writer.bytes() + " bytes wait for their origins, limits are "
                                        + journal.maxEntries() + " and " + journal.maxMib()
                                        + " MiB; nothing was changed",
                                "try again later, look at 'terrace journal list', or raise journal.max_entries and journal.max_mb"));
            case FAILED ->
                CompletableFuture.failedStage(new UnavailableException(
                        "the journal cannot keep a write to cache '"
                                + entry.key().cache() + "': " + writer.trouble() + "; nothing was changed",
                        "see to its disk, then try again"));
        });
    }

    /**
     * A removal as other nodes shall see it: as known absence, because a tombstone would send them to the origin, which still has the
     * value.
     */
    private Entry absence(Entry tombstone) {
        long until = tombstone.createdMillis()
                + policies.ofCache(tombstone.key().cache()).ttl().toMillis();
        long end = Math.max(until < 0 ? Entry.FOREVER : until, tombstone.staleUntilMillis());
        return new Entry(
                tombstone.key(),
                EntryKind.NOT_FOUND,
                tombstone.version(),
                tombstone.createdMillis(),
                end,
                end,
                List.of(),
                new byte[0]);
    }

    /** The tiers take what the origin or the journal has. */
    private CompletionStage<WriteReceipt> tiers(Entry entry, Terms terms, OriginState state) {
        return writes.store(entry, terms)
                .handle((receipt, failure) -> {
                    if (failure != null) {
                        return failed(entry, state, Gate.unwrapped(failure));
                    }
                    if (receipt.applied()) {
                        return CompletableFuture.completedStage(receipt.withOrigin(state));
                    }
                    clock.observe(receipt.version());
                    // Behind, the write is seen here while it waits, and looked after when it has arrived.
                    return state == OriginState.WRITTEN
                            ? dropped(entry.key()).thenApply(done -> receipt.withOrigin(state))
                            : CompletableFuture.completedStage(receipt.withOrigin(state));
                })
                .thenCompose(stage -> stage);
    }

    private CompletionStage<WriteReceipt> failed(Entry entry, OriginState state, Throwable failure) {
        Throwable told = failure instanceof ReplicationException few
                ? new ReplicationException(
                        (state == OriginState.WRITTEN
                                        ? "the origin has taken it, but a "
                                        : "the journal has it, but a ")
                                + few.getMessage(),
                        "",
                        few.receipt().withOrigin(state),
                        true)
                : failure;
        return dropped(entry.key()).thenCompose(done -> CompletableFuture.failedStage(told));
    }

    /** Drops what caches hold, as far as that can be done. */
    private CompletionStage<?> dropped(CacheKey key) {
        return invalidations.invalidate(key).handle((receipt, failure) -> receipt);
    }

    /** A dead letter waits again; completes with null, or with why not. */
    CompletionStage<@Nullable String> retry(CacheKey key, Version version) {
        WriteBehind writer = behind;
        return writer == null
                ? CompletableFuture.completedStage("there is no journal")
                : queue.run(key, () -> writer.retry(version));
    }

    @Override
    public void close() {
        if (behind != null) {
            behind.close();
        }
        calls.close();
        if (later != null) {
            later.close();
        }
        if (kept != null) {
            kept.close();
        }
    }
}
