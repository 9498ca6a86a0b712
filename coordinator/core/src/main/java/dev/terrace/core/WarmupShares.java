package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LeaseStore.Claimed;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who of a fleet does which part of a warm-up. A part is leased in L2 with an owner and a deadline, so that who dies is followed, and marked
 * there when it is finished, so that who comes later, the same node after a restart included, need not do it again; an L2 that lost its data
 * lost the marks with them. A part that another node has finished is still looked through, because each L3 holds what its own node wrote, but
 * L2 is only asked for versions and sent what it lacks. One round is all warm-ups of the same caches from sources of the same layout within
 * an hour. Thread-safe.
 *
 * <p>Best effort: a lease that two hold costs that a part is copied twice, and set-if-newer makes that harmless.
 */
final class WarmupShares {
    static final String CACHE = Markers.RESERVED_PREFIX + "warmup";
    static final int PARTS = 256;
    static final Duration LEASE = Duration.ofSeconds(10);
    private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long MARK_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** What is to be done next. */
    sealed interface Next {
        /** Copy the part. */
        record Copy(int part) implements Next {}

        /** Another has copied the part: copy what it did not have. */
        record Complete(int part) implements Next {}

        /** Others are at work: ask again in a while. */
        record Wait() implements Next {}

        /** L2 does not answer. */
        record Away() implements Next {}

        /** Nothing is left. */
        record Finished() implements Next {}
    }

    private static final Next WAIT = new Next.Wait();
    private static final Next AWAY = new Next.Away();
    private static final Next FINISHED = new Next.Finished();

    private enum State {
        OPEN,
        MINE,
        OTHERS,
        FINISHED
    }

    private final @Nullable LeaseStore leases;
    private final @Nullable Tier marks;
    private final HybridClock clock;
    private final LongSupplier nanos;
    private final String round;
    private final String owner = UUID.randomUUID().toString();
    private final State[] states = new State[PARTS];

    /** When an open part may be asked for again. */
    private final long[] notBefore = new long[PARTS];

    private final int first;
    private int finished;
    private long renewed;

    /**
     * @param leases null to do all by oneself
     * @param marks where finished parts are marked: the tier that {@code leases} lie in; null to leave no marks
     */
    WarmupShares(
            @Nullable LeaseStore leases,
            @Nullable Tier marks,
            String layout,
            Set<String> caches,
            HybridClock clock,
            LongSupplier nanos) {
        this.leases = leases;
        this.marks = marks;
        this.clock = clock;
        this.nanos = nanos;
        String all = layout + '/' + String.join("/", new TreeSet<>(caches));
        this.round =
                UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8)).toString();
        Arrays.fill(states, State.OPEN);
        Arrays.fill(notBefore, nanos.getAsLong());
        // Nodes begin at different places, so that they seldom ask for the same part.
        this.first = leases == null ? 0 : Math.floorMod(owner.hashCode(), PARTS);
        this.renewed = nanos.getAsLong();
    }

    /** Asks L2, so it takes a round trip for each part that others have. Several threads may ask at once. */
    Next next() {
        while (true) {
            int part = openPart();
            if (part < 0) {
                return rest();
            }
            if (leases == null) {
                return new Next.Copy(part);
            }
            Next decided = claimed(
                    part, Waiting.on(leases.claim(new LeaseStore.Claim(key(part), owner, LEASE, Version.ZERO))));
            if (decided != null) {
                return decided;
            }
        }
    }

    /** An open part, which is this thread's to ask for; or -1. */
    private synchronized int openPart() {
        long now = nanos.getAsLong();
        for (int i = 0; i < PARTS; i++) {
            int part = (first + i) % PARTS;
            if (states[part] == State.OPEN && now - notBefore[part] >= 0) {
                states[part] = State.MINE;
                return part;
            }
        }
        return -1;
    }

    private synchronized Next rest() {
        boolean others = false;
        for (int part = 0; part < PARTS; part++) {
            if (states[part] == State.OTHERS) {
                states[part] = State.FINISHED;
                return new Next.Complete(part);
            }
            others |= states[part] == State.OPEN;
        }
        return others ? WAIT : FINISHED;
    }

    private synchronized @Nullable Next claimed(int part, Claimed claimed) {
        if (claimed instanceof Claimed.Granted) {
            return new Next.Copy(part);
        }
        if (claimed instanceof Claimed.Changed) {
            states[part] = State.OTHERS;
            finished++;
            return null;
        }
        states[part] = State.OPEN;
        notBefore[part] = nanos.getAsLong() + AGAIN_NANOS;
        return claimed instanceof Claimed.Unavailable ? AWAY : null;
    }

    /** The part is copied whole. Marks it for all. */
    void finish(int part) {
        synchronized (this) {
            states[part] = State.FINISHED;
            finished++;
        }
        if (marks != null) {
            long now = clock.millis();
            long until = now + MARK_MILLIS;
            Entry mark = new Entry(key(part), EntryKind.VALUE, clock.next(), now, until, until, List.of(), new byte[0]);
            StoreOutcome outcome = Waiting.on(marks.put(mark, WriteCondition.IF_NEWER));
            if (!(outcome instanceof StoreOutcome.Applied)) {
                return; // Somebody will do it again, when the lease has run out.
            }
        }
        release(part);
    }

    private void release(int part) {
        if (leases != null) {
            leases.release(key(part), owner);
        }
    }

    /** Keeps the leases on what is being copied. To be called often, by one thread. */
    void renew() {
        long now = nanos.getAsLong();
        if (leases == null || now - renewed < RENEW_NANOS) {
            return;
        }
        renewed = now;
        // Nothing is to be done about those that are lost.
        mine().forEach(part -> leases.renew(key(part), owner, LEASE));
    }

    private synchronized List<Integer> mine() {
        List<Integer> mine = new ArrayList<>();
        for (int part = 0; part < PARTS; part++) {
            if (states[part] == State.MINE) {
                mine.add(part);
            }
        }
        return mine;
    }

    /** Lets others have what is not finished. */
    void giveBack() {
        if (leases != null) {
            mine().forEach(this::release);
        }
    }

    synchronized int finished() {
        return finished;
    }

    private CacheKey key(int part) {
        return CacheKey.of(CACHE, round + '/' + part);
    }
}
