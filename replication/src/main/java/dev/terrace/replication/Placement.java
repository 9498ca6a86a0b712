package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which zones hold a key: the {@code copies} with the highest scores, a score being a hash of key and zone name weighted by
 * the logarithm method. Adding or removing a zone moves only the keys that it gains or had. Thread-safe.
 *
 * <p>While zones join or leave there are two answers, the old one without the joining zones and the new one without the leaving
 * ones. A key is then held by both, and so many of all its zones must agree that a majority of either is among them. See {@code
 * docs/adr/0008}.
 *
 * <p>Source: Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996; the weighting is that of Schindelhauer
 * and Schomaker, "Weighted distributed hash tables", SPAA 2005.
 */
final class Placement {
    private final List<Replica> zones;
    private final List<Scored> old;
    private final List<Scored> next;
    private final int copies;
    private final Set<String> joining;
    private final Set<String> leaving;
    private volatile boolean joint;
    private volatile boolean undecided;
    private volatile boolean moved;

    /** A zone and what its scores are made of. */
    private record Scored(Replica zone, long name, double weight) {
        double score(long key) {
            // In (0, 1): 53 bits, never 0.
            double unit = ((mix(key ^ name) >>> 11) + 0.5) * 0x1.0p-53;
            return -weight / Math.log(unit);
        }
    }

    /**
     * The zones of a key.
     *
     * @param zones always in the same order
     * @param required how many of them must agree, so that any two such groups share a zone
     */
    record Holders(List<Replica> zones, int required) {}

    /**
     * @param zones all zones, in the order in which operations ask them
     * @param weights by zone name; 1 for those that are missing
     * @param copies how many zones hold a key; at most as many as there are
     */
    Placement(List<? extends Replica> zones, Map<String, Double> weights, int copies) {
        this(zones, weights, copies, Set.of(), Set.of());
    }

    /**
     * @param joining names of zones that hold nothing yet
     * @param leaving names of zones that will hold nothing any more
     */
    Placement(
            List<? extends Replica> zones,
            Map<String, Double> weights,
            int copies,
            Set<String> joining,
            Set<String> leaving) {
        this.zones = List.copyOf(zones);
        this.copies = copies;
        this.joining = Set.copyOf(joining);
        this.leaving = Set.copyOf(leaving);
        List<Scored> all = new ArrayList<>();
        for (Replica zone : zones) {
            long name = hash(0x9E3779B97F4A7C15L, zone.zone().getBytes(StandardCharsets.UTF_8));
            all.add(new Scored(zone, name, weights.getOrDefault(zone.zone(), 1.0)));
        }
        this.old = all.stream()
                .filter(each -> !joining.contains(each.zone().zone()))
                .toList();
        this.next = all.stream()
                .filter(each -> !leaving.contains(each.zone().zone()))
                .toList();
    }

    /** All zones, those that join and leave included. */
    List<Replica> all() {
        return zones;
    }

    int copies() {
        return copies;
    }

    /** True while zones join or leave. */
    boolean isMoving() {
        return !joining.isEmpty() || !leaving.isEmpty();
    }

    boolean isJoining(Replica zone) {
        return joining.contains(zone.zone());
    }

    boolean isLeaving(Replica zone) {
        return leaving.contains(zone.zone());
    }

    /** Names what is being done, the same on every node. */
    String transition() {
        return "+" + String.join(",", joining.stream().sorted().toList()) + "-"
                + String.join(",", leaving.stream().sorted().toList());
    }

    /** True once operations ask the new zones too. */
    boolean isJoint() {
        return joint;
    }

    /** From now on operations ask the new zones too: those that join vote. */
    void join() {
        joint = true;
        undecided = false;
    }

    /** Until it is known whether anybody asks the new zones alone by now, operations ask both. */
    void undecided() {
        joint = true;
        undecided = true;
    }

    boolean isUndecided() {
        return undecided;
    }

    /** Whether so many of the old zones are among {@code voting} that any key can be read there. */
    boolean canDecide(List<Replica> voting) {
        long missing =
                old.stream().filter(each -> !voting.contains(each.zone())).count();
        return missing <= copies - Context.majority(copies);
    }

    /** Nobody asks the new zones alone yet: the old ones are enough until those that join vote. */
    void apart() {
        joint = false;
        undecided = false;
    }

    /** Of each of these lists of zones a majority may have acknowledged something, now. */
    List<List<Replica>> lists() {
        List<Replica> before = old.stream().map(Scored::zone).toList();
        return isMoving() && joint
                ? List.of(before, next.stream().map(Scored::zone).toList())
                : List.of(before);
    }

    /** The zones that hold {@code key} by the old list. */
    Holders before(CacheKey key) {
        List<Replica> asked = best(old, key);
        return new Holders(asked, Context.majority(asked.size()));
    }

    /** True once everything acknowledged is where it will be. */
    boolean isMoved() {
        return moved;
    }

    void moved(boolean now) {
        moved = now;
    }

    /** The zones that every acknowledged write asked a majority of: before the move is over the old ones, after it the new ones. */
    Holders vouching(CacheKey key) {
        List<Replica> asked = best(moved ? next : old, key);
        return new Holders(asked, Context.majority(asked.size()));
    }

    /** The zones that operations on {@code key} ask now. */
    Holders holders(CacheKey key) {
        if (isMoving() && joint) {
            return both(key);
        }
        return before(key);
    }

    private Holders both(CacheKey key) {
        List<Replica> before = best(old, key);
        List<Replica> after = best(next, key);
        List<Replica> asked = new ArrayList<>(after);
        before.stream().filter(zone -> !after.contains(zone)).forEach(asked::add);
        // With so few missing altogether, neither lacks its majority.
        int mayBeMissing = Math.min(
                before.size() - Context.majority(before.size()), after.size() - Context.majority(after.size()));
        return new Holders(List.copyOf(asked), asked.size() - mayBeMissing);
    }

    /** The zones of {@code key}, always in the same order. */
    List<Replica> of(CacheKey key) {
        return holders(key).zones();
    }

    /** Whether {@code zone} is to hold {@code key}, now or when zones have joined; all hold what nodes tell each other. */
    boolean belongs(CacheKey key, Replica zone) {
        // A node that knows nothing of a change of the zones must not fill one without the mark of that change.
        return key.cache().equals(Turn.CACHE) || (isMoving() ? both(key).zones() : of(key)).contains(zone);
    }

    private List<Replica> best(List<Scored> among, CacheKey key) {
        if (copies >= among.size()) {
            return among.stream().map(Scored::zone).toList();
        }
        long hashed = hashOf(key);
        record Rank(Replica zone, double score) {}
        return among.stream()
                .map(each -> new Rank(each.zone(), each.score(hashed)))
                .sorted(Comparator.comparingDouble(Rank::score)
                        .reversed()
                        .thenComparing(rank -> rank.zone().zone()))
                .limit(copies)
                .map(Rank::zone)
                .toList();
    }

    /** A hash of {@code key} that is the same on every node. */
    static long hashOf(CacheKey key) {
        return hash(key.nameLength(), key.nameAndKey());
    }

    private static long hash(long seed, byte[] bytes) {
        long hash = mix(seed ^ bytes.length);
        for (byte b : bytes) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
            hash ^= hash >>> 29;
        }
        return mix(hash);
    }

    /** The finalizer of SplitMix64. */
    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
