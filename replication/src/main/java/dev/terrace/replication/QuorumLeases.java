package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Unavailability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Leases over several zones: who has those of a majority has the lease. Two majorities share a zone, so nodes that disagree on which
 * zones can be reached still agree on the owner, which they would not if each took the first zone that it reaches. Where no majority
 * answers, there are no leases. All zones are asked at once, and what was granted in vain is given back, so a vote that is split
 * among claimants is only asked for again. Thread-safe.
 *
 * <p>As every lease, best effort: a zone that restarted may grant one twice.
 */
public final class QuorumLeases implements LeaseStore {
    private final List<LeaseStore> zones;
    private final int majority;

    /** Over all of {@code zones}. */
    public QuorumLeases(List<LeaseStore> zones) {
        this.zones = List.copyOf(zones);
        this.majority = zones.size() / 2 + 1;
    }

    @Override
    public CompletionStage<Claimed> claim(Claim claim) {
        Ballot ballot = new Ballot(true);
        for (LeaseStore zone : zones) {
            zone.claim(claim).thenAccept(answer -> {
                if (ballot.take(zone, answer)) {
                    // Too late, or in vain.
                    zone.release(claim.key(), claim.owner());
                }
            });
        }
        return ballot.outcome.thenApply(outcome -> {
            if (!(outcome instanceof Claimed.Granted)) {
                ballot.granted().forEach(zone -> zone.release(claim.key(), claim.owner()));
            }
            return outcome;
        });
    }

    @Override
    public CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep) {
        Ballot ballot = new Ballot(false);
        zones.forEach(zone -> zone.renew(key, owner, keep).thenAccept(answer -> ballot.take(zone, answer)));
        return ballot.outcome;
    }

    @Override
    public CompletionStage<Released> release(CacheKey key, String owner) {
        List<CompletableFuture<Released>> answers = new ArrayList<>();
        zones.forEach(zone -> answers.add(zone.release(key, owner).toCompletableFuture()));
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> {
                    List<Released> all =
                            answers.stream().map(CompletableFuture::join).toList();
                    for (Released told : new Released[] {Released.WANTED, Released.UNWANTED, Released.NOT_HELD}) {
                        if (all.contains(told)) {
                            return told;
                        }
                    }
                    return Released.UNAVAILABLE;
                });
    }

    /** The answers to one question, until they decide it. */
    private final class Ballot {
        final CompletableFuture<Claimed> outcome = new CompletableFuture<>();
        private final boolean lateGrantsAreVain;
        private final List<LeaseStore> granted = new ArrayList<>();
        private final List<Claimed> others = new ArrayList<>();

        /** Whether whoever was refused must hand back what is granted after that. */
        private boolean lost;

        Ballot(boolean lateGrantsAreVain) {
            this.lateGrantsAreVain = lateGrantsAreVain;
        }

        /** True when what was granted must be given back by whoever brings it. */
        boolean take(LeaseStore zone, Claimed answer) {
            Claimed decided;
            synchronized (this) {
                if (answer instanceof Claimed.Granted) {
                    if (lost) {
                        return lateGrantsAreVain;
                    }
                    granted.add(zone);
                } else {
                    others.add(answer);
                }
                decided = decided();
                lost = lost || decided != null && !(decided instanceof Claimed.Granted);
            }
            if (decided != null) {
                outcome.complete(decided);
            }
            return false;
        }

        synchronized List<LeaseStore> granted() {
            return List.copyOf(granted);
        }

        private @Nullable Claimed decided() {
            Claimed changed = first(other -> other instanceof Claimed.Changed ? other : null);
            if (changed != null) {
                return changed;
            }
            if (granted.size() >= majority) {
                return new Claimed.Granted();
            }
            if (zones.size() - others.size() >= majority) {
                return null;
            }
            // Cannot be had any more. Who holds it where matters more than who did not answer, unless too few did.
            long silent = others.stream()
                    .filter(Claimed.Unavailable.class::isInstance)
                    .count();
            if (zones.size() - silent < majority) {
                return first(other -> other instanceof Claimed.Unavailable ? other : null);
            }
            Claimed held = first(other -> other instanceof Claimed.Held ? other : null);
            return held != null ? held : new Claimed.Unavailable(Unavailability.ERROR, "no majority of the zones");
        }

        private @Nullable Claimed first(Function<Claimed, @Nullable Claimed> which) {
            for (Claimed other : others) {
                Claimed found = which.apply(other);
                if (found != null) {
                    return found;
                }
            }
            return null;
        }
    }
}
