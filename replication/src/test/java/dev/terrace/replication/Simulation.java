package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import dev.terrace.testkit.history.CheckLimits;
import dev.terrace.testkit.history.History;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.history.LinearizabilityChecker;
import dev.terrace.testkit.history.Verdict;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Nodes and zones on virtual time, under faults that one seed decides: which kinds happen at all, how often, to whom, when. Same
 * seed, same run.
 */
final class Simulation {
    private static final long WARM_MILLIS = 300;
    private static final long FAULTS_MILLIS = 1_200;
    private static final long MOVING_MILLIS = 2_000;
    private static final long CALM_MILLIS = 2_000;

    /** A few histories in a thousand are too uncertain to be judged within that; they count as undecided. */
    private static final CheckLimits CHECK = new CheckLimits(Duration.ofSeconds(2), 64L << 20);

    final VirtualTime time = new VirtualTime();
    final SplittableRandom random;
    final Profile profile;
    final Set<Mutation> mutations;
    final List<SimZone> zones = new ArrayList<>();
    final List<SimNode> nodes = new ArrayList<>();
    final HistoryRecorder history = new HistoryRecorder(time::nanos);

    final SimMove move;

    /** While it is true nobody touches the scene's key but the scene. */
    boolean hush;

    private final List<SimNode> dead = new ArrayList<>();
    private final Map<CacheKey, List<SimZone>> holders = new HashMap<>();
    private final long faultsUntilMillis;
    private final long endMillis;
    private final SimLedger ledger;
    private final List<String> events = new ArrayList<>();
    private int values;
    private int tokens;
    private int ids;
    private boolean calm;
    private boolean touched;
    private @Nullable String broken;
    private @Nullable String failure;

    /**
     * What came out of a run.
     *
     * @param broken what was found wrong by looking at all zones at once, or null
     * @param failure a call that was not answered, or not normally, or null; nothing excuses that
     * @param alarms how often a node said that acknowledged data may be lost
     */
    record Outcome(
            Profile profile,
            History history,
            Verdict verdict,
            @Nullable String broken,
            @Nullable String failure,
            boolean healed,
            long alarms,
            String told) {
        boolean isExcused() {
            return alarms > 0 && !profile.guarded;
        }

        boolean isFine() {
            return healed && failure == null && (isExcused() || broken == null && alarms == 0 && !verdict.isViolated());
        }

        boolean isUndecided() {
            return !verdict.holds() && !verdict.isViolated();
        }

        /** Whether a promise was broken and nobody has said so. */
        boolean isSilentlyWrong() {
            return failure != null || alarms == 0 && (broken != null || verdict.isViolated());
        }

        @Override
        public String toString() {
            return told + (broken == null ? "" : "\nbroken: " + broken)
                    + (failure == null ? "" : "\nfailure: " + failure) + "\nhealed " + healed + ", alarms " + alarms
                    + "\n" + verdict;
        }
    }

    Simulation(long seed, Set<Mutation> mutations, Set<Weakness> weaknesses) {
        this.random = new SplittableRandom(seed);
        this.profile = new Profile(random);
        this.mutations = mutations;
        this.move = new SimMove(this, profile, random.split());
        this.faultsUntilMillis = WARM_MILLIS + FAULTS_MILLIS + (move.happens() ? MOVING_MILLIS : 0);
        this.endMillis = faultsUntilMillis + CALM_MILLIS;
        for (int i = 0; i < profile.zones + profile.joining; i++) {
            SimZone zone = new SimZone("z" + i, time, SimHost.EPOCH_MILLIS, weaknesses);
            zone.changed = () -> touched = true;
            zones.add(zone);
        }
        this.ledger = new SimLedger(this::zonesOf, Context.majority(profile.copies));
        for (int i = 0; i < profile.nodes; i++) {
            boolean outsider = profile.scene.hasOutsider() && i == profile.nodes - 1;
            long skew = outsider
                    ? 2_000 + random.nextLong(2_000)
                    : profile.skewMillis == 0 ? 0 : random.nextLong(2 * profile.skewMillis) - profile.skewMillis;
            nodes.add(new SimNode(this, "n" + i, ++ids, skew, move.settingsOf(i)));
        }
    }

    String token() {
        return "t" + tokens++;
    }

    /** What the key's first letter says. */
    static ReplicationMode modeOf(CacheKey key) {
        return key.toString().contains("sync") ? ReplicationMode.SYNC : ReplicationMode.QUORUM;
    }

    /** Those of {@code all} that settings name. */
    List<SimReplica> seen(List<SimReplica> all, SimMove.Step step) {
        return all.stream().filter(replica -> move.names(step, replica.zone())).toList();
    }

    void zonesChanged() {
        event("everything has moved, the second step begins");
        holders.clear();
    }

    private List<SimZone> zonesOf(CacheKey key) {
        return holders.computeIfAbsent(key, same -> {
            Placement placement = new Placement(seen(nodes.get(0).replicas, move.judged), Map.of(), profile.copies);
            Set<String> names = new TreeSet<>();
            placement.of(key).forEach(replica -> names.add(replica.zone()));
            return zones.stream().filter(zone -> names.contains(zone.name)).toList();
        });
    }

    // What scenes use.

    SimNode anyNode(SplittableRandom own) {
        return nodes.get(own.nextInt(nodes.size()));
    }

    SimNode anyNodeBut(SimNode other, SplittableRandom own) {
        SimNode node = anyNode(own);
        return node == other ? nodes.get((nodes.indexOf(other) + 1) % nodes.size()) : node;
    }

    List<SimZone> shuffled(CacheKey key, SplittableRandom own) {
        List<SimZone> left = new ArrayList<>(zonesOf(key));
        List<SimZone> order = new ArrayList<>();
        while (!left.isEmpty()) {
            order.add(left.remove(own.nextInt(left.size())));
        }
        return order;
    }

    void later(long micros, Runnable task) {
        time.afterNanos(1_000 * micros, task);
    }

    /** Has a zone come back at once without what it knew, unless that would be one too many. */
    void forget(SimZone zone, Consumer<SimZone> how) {
        if (mayForget(zone)) {
            event(zone.name + " forgets");
            how.accept(zone);
        }
    }

    void told(CacheKey key, Version version, boolean tombstone, boolean all, String by) {
        ledger.told(key, version, tombstone, all, by);
        touched = true;
    }

    /** A call was answered with an exception, or what is made of its answer failed: nobody joins its stage. */
    void failed(String node, Throwable bug) {
        if (failure == null) {
            StringWriter trace = new StringWriter();
            bug.printStackTrace(new PrintWriter(trace));
            failure = time.nanos() / 1_000 + " us: a call of " + node + " failed\n" + trace;
        }
    }

    /** Calls of the last moments have their deadlines, too. */
    private @Nullable String unanswered() {
        run(time.millis() + 2 * profile.deadlineMillis());
        for (SimNode node : nodes) {
            if (!node.host.dead && node.unanswered() > 0) {
                return node.unanswered() + " calls of " + node.name + " are never answered";
            }
        }
        return null;
    }

    private void event(String what) {
        events.add(time.millis() + " ms " + what);
    }

    Outcome run() {
        run(WARM_MILLIS);
        // Whoever sees that one zone votes and two hold nothing cannot know that these were being formed when that
        // ended.
        for (int more = 0; more < 20 && !isFormed(); more++) {
            run(time.millis() + WARM_MILLIS / 6);
        }
        nodes.forEach(this::start);
        profile.faults.forEach((fault, every) -> next(fault, every, random.split()));
        SplittableRandom own = random.split();
        later(1_000 * (50 + random.nextInt(100)), () -> profile.scene.play(this, own));
        time.after(100, this::save);
        move.start();
        run(faultsUntilMillis);
        calm = true;
        nodes.forEach(node -> {
            node.links.forEach(SimLink::calm);
            if (node.host.skewMillis < -1_000_000) {
                node.host.skewMillis = 0;
            }
        });
        run(endMillis);
        // A node that died while it filled a zone keeps its turn for a while, and hints are tried after growing pauses.
        for (int more = 0; more < 80 && !isDone(); more++) {
            run(time.millis() + profile.deadlineMillis());
        }
        History all = history.history();
        Verdict verdict = new LinearizabilityChecker(CHECK).check(all);
        String found = broken == null ? unhealed() : broken;
        boolean healed = votesAgain() && move.isOver();
        String told = describe();
        long alarms = alarms();
        String unanswered = unanswered();
        Outcome outcome =
                new Outcome(profile, all, verdict, found, failure == null ? unanswered : failure, healed, alarms, told);
        nodes.forEach(node -> node.tier.close());
        return outcome;
    }

    private void run(long untilMillis) {
        time.runUntil(untilMillis, () -> {
            if (touched) {
                touched = false;
                if (broken == null && alarms() == 0) {
                    String wrong = ledger.wrong();
                    broken = wrong == null ? null : time.nanos() / 1_000 + " us: " + wrong;
                }
            }
        });
    }

    private long alarms() {
        long alarms = 0;
        for (int i = 0; i < nodes.size(); i++) {
            alarms += nodes.get(i).alarms();
        }
        for (int i = 0; i < dead.size(); i++) {
            alarms += dead.get(i).alarms();
        }
        return alarms;
    }

    private boolean isFormed() {
        return zones.stream().filter(move::matters).allMatch(zone -> zone.standing() == Standing.MEMBER);
    }

    /** After the storm every zone votes. */
    private boolean votesAgain() {
        return move.votesAgain(zones);
    }

    private boolean isDone() {
        return votesAgain() && move.isOver() && unhealed() == null;
    }

    /** What zones that were compared do not agree on, or null. */
    private @Nullable String different() {
        Set<String> keys = new TreeSet<>();
        zones.forEach(zone -> keys.addAll(zone.contents().keySet()));
        for (String name : keys) {
            if (name.startsWith("c/")) {
                CacheKey key = CacheKey.of("c", name.substring(2));
                Set<String> held = new TreeSet<>();
                zonesOf(key).forEach(zone -> held.add(String.valueOf(zone.version(key))));
                if (held.size() > 1) {
                    return "compared copies of " + name + " differ: " + held;
                }
            }
        }
        return null;
    }

    /** Where nothing was forgotten, every zone has everything in the end; of hints none is left. */
    private @Nullable String unhealed() {
        if (profile.compareMillis > 0) {
            return different();
        }
        if (!profile.mustHeal() || nodes.stream().anyMatch(node -> node.droppedHints() > 0)) {
            return null;
        }
        if (nodes.stream().anyMatch(node -> node.pendingHints() > 0)) {
            return "hints are left";
        }
        String unhealed = ledger.unhealed();
        if (unhealed != null || !profile.otherModes || profile.repetition > 0) {
            return unhealed;
        }
        CacheKey key = CacheKey.of("c", "async");
        Set<String> held = new TreeSet<>();
        zonesOf(key).forEach(zone -> held.add(String.valueOf(zone.version(key))));
        return held.size() > 1 ? "copies differ: " + held : null;
    }

    private String describe() {
        StringBuilder text = new StringBuilder(profile + "\n");
        events.forEach(event -> text.append(event).append('\n'));
        zones.forEach(zone -> text.append(zone.name)
                .append(' ')
                .append(zone.standing())
                .append(' ')
                .append(zone.contents())
                .append('\n'));
        return text.toString();
    }

    // Faults.

    private void save() {
        zones.get(random.nextInt(zones.size())).save();
        if (!calm) {
            time.after(50 + random.nextInt(400), this::save);
        }
    }

    private void next(String fault, int every, SplittableRandom own) {
        time.after(20 + own.nextInt(2 * every), () -> {
            if (!calm) {
                strike(fault, own);
                next(fault, every, own);
            }
        });
    }

    private void strike(String fault, SplittableRandom own) {
        int victim = own.nextInt(zones.size());
        int who = own.nextInt(nodes.size());
        SimZone zone = zones.get(victim);
        SimNode node = nodes.get(who);
        SimLink link = node.links.get(victim);
        long micros = 1_000L * (10 + own.nextInt(400));
        switch (fault) {
            case "pause" -> {
                if (!zone.down) {
                    event(zone.name + " is away for " + micros + " us");
                    zone.down = true;
                    later(micros, () -> zone.down = false);
                }
            }
            case "freeze" -> {
                event(zone.name + " is frozen for " + micros + " us");
                zone.freeze();
                later(micros, zone::thaw);
            }
            case "restart" -> down(zone, micros, SimZone::restart, own);
            case "empty" -> down(zone, micros, SimZone::restartEmpty, own);
            case "rollback" -> down(zone, micros, SimZone::restartRolledBack, own);
            case "relapse" ->
                zones.stream()
                        .filter(each -> each.standing() == Standing.FORGETFUL && !each.down)
                        .findFirst()
                        .ifPresent(each -> forget(each, SimZone::restartEmpty));
            case "partition" -> {
                event(node.name + " and " + zone.name + " are cut for " + micros + " us");
                link.requestsCut = true;
                link.answersCut = true;
                later(micros, () -> {
                    link.requestsCut = false;
                    link.answersCut = false;
                });
            }
            case "oneway" -> {
                event("answers of " + zone.name + " to " + node.name + " are lost for " + micros + " us");
                link.answersCut = true;
                later(micros, () -> link.answersCut = false);
            }
            case "sleep" -> {
                event(node.name + " sleeps for " + micros + " us");
                node.host.asleepUntilNanos = time.nanos() + 1_000 * micros;
            }
            case "crash" -> crash(who, micros);
            case "clock" -> {
                // Not for longer than entries live.
                if (node.host.skewMillis > -4 * 3_600_000) {
                    event("the clock of " + node.name + " is set back by an hour");
                    node.host.skewMillis -= 3_600_000;
                }
            }
            default -> {
                event(node.name + " to " + zone.name + " is slow for " + micros + " us");
                link.slow = true;
                later(micros, () -> link.slow = false);
            }
        }
    }

    private boolean mayForget(SimZone zone) {
        if (!profile.guarded) {
            return true;
        }
        // Also counted where a weakness makes them vote: as long as they should not.
        long since = time.nanos() - 1_000_000 * profile.fillingMillis();
        if (!move.matters(zone)) {
            return true;
        }
        long others = zones.stream()
                .filter(other -> other != zone && move.matters(other))
                .filter(other -> other.standing() != Standing.MEMBER || other.leaving || other.forgotNanos > since)
                .count();
        return others + 1 < Context.majority(profile.copies);
    }

    private void down(SimZone zone, long micros, Consumer<SimZone> restart, SplittableRandom own) {
        if (!zone.down && mayForget(zone)) {
            // Half of the time faster than anybody could notice.
            long away = own.nextBoolean() ? 1_000 : micros;
            event(zone.name + " restarts within " + away + " us");
            zone.down = true;
            zone.leaving = true;
            later(away, () -> {
                zone.leaving = false;
                restart.accept(zone);
            });
        }
    }

    /** A process ends and another begins, which knows nothing of it. */
    private void crash(int who, long micros) {
        SimNode old = nodes.get(who);
        if (old.host.dead || profile.scene.hasOutsider()) {
            return;
        }
        event(old.name + " dies for " + micros + " us");
        old.host.dead = true;
        old.tier.close();
        later(micros, () -> {
            long skew = Math.max(-10_000, old.host.skewMillis);
            SimNode fresh = new SimNode(this, old.name + "'", ++ids, skew, move.settingsOf(who));
            if (calm) {
                fresh.links.forEach(SimLink::calm);
            }
            dead.add(old);
            nodes.set(who, fresh);
            start(fresh);
        });
    }

    /** Has a node begin again with other settings; one that is dead will. */
    void restart(int who, SimMove.Step step, long micros) {
        event(nodes.get(who).name + " is set to " + step);
        crash(who, micros);
    }

    // What callers do.

    private void start(SimNode node) {
        if (profile.scene.hasOutsider() && node == nodes.get(nodes.size() - 1)) {
            return;
        }
        for (int client = 0; client < profile.clients; client++) {
            act(node, node.name + "c" + client, random.split());
        }
    }

    private void act(SimNode node, String client, SplittableRandom own) {
        if (calm && time.millis() > endMillis - 500 && move.isOver()) {
            return;
        }
        long micros = calm ? 1_000L * (200 + own.nextInt(200)) : 1_000L * own.nextInt(profile.thinkingMillis);
        time.afterNanos(
                1_000 * micros,
                () -> node.host.awake(
                        3_000, () -> choose(node, client, own).whenComplete((done, bug) -> act(node, client, own))));
    }

    private CompletionStage<?> choose(SimNode node, String client, SplittableRandom own) {
        String value = own.nextInt(6) == 0 ? null : "v" + values++;
        if (profile.otherModes && own.nextInt(3) == 0) {
            if (own.nextBoolean()) {
                return node.copy(CacheKey.of("c", "async"), value, own.nextBoolean());
            }
            CacheKey key = CacheKey.of("c", "sync");
            return own.nextInt(100) < profile.writePercent ? node.write(client, key, value) : node.read(client, key);
        }
        if (profile.scene != Scene.NONE && own.nextInt(3) == 0 && !hush) {
            return node.read(client, Scene.QUIET);
        }
        CacheKey key = CacheKey.of("c", "k" + own.nextInt(profile.keys));
        if (own.nextInt(100) < profile.conditionalPercent) {
            String changed = "v" + values++;
            return switch (own.nextInt(3)) {
                case 0 -> node.putIfAbsent(client, key, changed);
                case 1 -> node.replace(client, key, changed);
                default -> node.swap(client, key, "v" + Math.max(0, values - 2 - own.nextInt(4)), changed);
            };
        }
        return own.nextInt(100) < profile.writePercent ? node.write(client, key, value) : node.read(client, key);
    }
}
