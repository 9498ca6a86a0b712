package dev.terrace.node.drill;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What drills do, step by step, with the stop watch running. For one thread. */
final class Scene {
    private static final int BATCH = 1_000;
    private static final long FIRST_ANSWER_SECONDS = 120;
    private static final long WARM_SECONDS = 1_800;
    private static final long NORMAL_SECONDS = 120;
    private static final long PAUSE_MILLIS = 10;
    private static final long TROUBLE_SECONDS = 10;
    private static final int TIERS = 3;

    private final DrillPlan plan;
    private final Site site;
    private final Timeline timeline;
    private final Ledger ledger;
    private final Map<String, Object> measured = new LinkedHashMap<>();
    private final List<DrillReport.Objective> objectives = new ArrayList<>();
    private @Nullable Traffic traffic;
    private long brokenNanos;
    private long lateSinceNanos;

    Scene(DrillPlan plan, Site site, Timeline timeline) {
        this.plan = plan;
        this.site = site;
        this.timeline = timeline;
        this.ledger = new Ledger(new Values(plan.seed(), plan.valueBytes()), plan.entries());
    }

    DrillPlan plan() {
        return plan;
    }

    Site site() {
        return site;
    }

    Ledger ledger() {
        return ledger;
    }

    Map<String, Object> measured() {
        return measured;
    }

    List<DrillReport.Objective> objectives() {
        return objectives;
    }

    @Nullable
    Traffic traffic() {
        return traffic;
    }

    /** When it was broken, since the drill's beginning; -1 before. */
    long brokenMillis() {
        return brokenNanos == 0 ? -1 : timeline.millis(brokenNanos);
    }

    void stage(String name, Timeline.Step step) throws Exception {
        timeline.stage(name, step);
    }

    /** A number that was measured, for the report. */
    void measure(String name, Object value) {
        measured.put(name, value);
    }

    /** What must hold, and whether it did. */
    void objective(String name, String limit, String was, boolean met) {
        objectives.add(new DrillReport.Objective(name, limit, was, met));
    }

    /** A time that must not be longer. */
    void within(String name, Duration limit, long millis) {
        objective(name, seconds(limit.toMillis()), seconds(millis), millis <= limit.toMillis());
    }

    private static String seconds(long millis) {
        return millis / 1000.0 + " s";
    }

    /** A node, and entries that it has acknowledged as durable. */
    void deploy() throws Exception {
        stage("deploy", site::startNode);
        stage("load", this::load);
    }

    private String load() throws IOException, InterruptedException, DrillFailure {
        for (int from = 0; from < plan.entries(); from += BATCH) {
            Map<Integer, byte[]> batch = new LinkedHashMap<>();
            for (int index = from; index < Math.min(plan.entries(), from + BATCH); index++) {
                batch.put(index, ledger.values().of(index, ledger.next(index)));
            }
            Map<Integer, Version> versions = site.calls().putAll(batch);
            if (versions.size() != batch.size()) {
                throw new DrillFailure("of " + batch.size() + " writes the node acknowledged " + versions.size()
                        + " as durable before anything was broken");
            }
            long now = System.nanoTime();
            versions.forEach((index, version) -> ledger.acknowledged(index, new Ledger.Ack(1, version, now)));
        }
        return plan.entries() + " entries acknowledged as durable";
    }

    /** Live traffic from now on. */
    Traffic begin() {
        Traffic now = new Traffic(site.calls(), ledger, plan.seed(), timeline.beganNanos()).start();
        traffic = now;
        return now;
    }

    /** Lets time pass with whatever is going on. */
    void hold(String what, Duration time) throws Exception {
        stage(what, () -> {
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
            return "";
        });
    }

    void endTraffic() {
        if (traffic != null) {
            traffic.close();
        }
    }

    /** What is lost is counted from here, and so is the time until it is back. */
    void breaks() {
        brokenNanos = System.nanoTime();
    }

    long sinceBreakMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - brokenNanos);
    }

    /** Reads until an answer is right, then writes until a write is acknowledged as durable. */
    void awaitServing(@Nullable Duration firstAnswer, @Nullable Duration serving) throws Exception {
        stage("first answer", () -> {
            awaitAnswer();
            long first = sinceBreakMillis();
            measure("first_answer_seconds", first / 1000.0);
            if (firstAnswer != null) {
                within("first right answer", firstAnswer, first);
            }
            return seconds(first) + " after the break";
        });
        stage("serving", () -> {
            // Of a key that no verdict depends on.
            byte[] value = ledger.values().of(ledger.entries(), 1);
            until("a write is acknowledged as durable", () -> site.calls().put(ledger.entries(), value) != null);
            long serves = sinceBreakMillis();
            measure("rto_seconds", serves / 1000.0);
            if (serving != null) {
                within("RTO: reads and writes again", serving, serves);
            }
            return seconds(serves) + " after the break";
        });
    }

    private void awaitAnswer() throws InterruptedException, DrillFailure {
        SplittableRandom random = new SplittableRandom(plan.seed() + 3);
        until("a read is answered rightly", () -> {
            refuseLate(site.backup().path("restore"));
            int index = random.nextInt(ledger.entries());
            try {
                NodeCalls.Answer answer = site.calls().get(index, "").get();
                return ledger.judge(index, answer.value(), answer.version()).isAcknowledged();
            } catch (ExecutionException e) {
                return false;
            }
        });
    }

    /** A restore under a node that has been in trouble for a while does not end by itself. */
    private void refuseLate(JsonNode restore) throws DrillFailure {
        String trouble = restore.path("trouble").asText();
        long now = System.nanoTime();
        lateSinceNanos = trouble.isEmpty() ? 0 : lateSinceNanos == 0 ? now : lateSinceNanos;
        if (lateSinceNanos != 0 && TimeUnit.NANOSECONDS.toSeconds(now - lateSinceNanos) >= TROUBLE_SECONDS) {
            throw new DrillFailure("the restore is late: " + trouble);
        }
    }

    /** Something that is tried. */
    private interface Try {
        boolean succeeds() throws IOException, InterruptedException, DrillFailure;
    }

    private static void until(String what, Try attempt) throws InterruptedException, DrillFailure {
        until(what, FIRST_ANSWER_SECONDS, attempt);
    }

    private static void until(String what, long seconds, Try attempt) throws InterruptedException, DrillFailure {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() - end < 0) {
            try {
                if (attempt.succeeds()) {
                    return;
                }
            } catch (IOException notYet) {
                // Tried again until the time is over.
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
        throw new DrillFailure("not within " + seconds + " s: " + what);
    }

    /** Waits until the node uses all tiers: what L2 holds is not asked for before. */
    void awaitNormal() throws Exception {
        stage("all tiers", () -> {
            site.await("/health/ready", "all tiers are ready and the rung is normal", NORMAL_SECONDS, answer -> {
                List<String> states = answer.path("tiers").findValuesAsText("state");
                return answer.path("rung").asText().equals("normal")
                        && states.size() == TIERS
                        && states.stream().allMatch("ready"::equals);
            });
            measure("normal_seconds", sinceBreakMillis() / 1000.0);
            return seconds(sinceBreakMillis()) + " after the break";
        });
    }

    /** Waits until L3 has come back under a node that serves. */
    void awaitRestored() throws Exception {
        stage("restored", () -> {
            JsonNode[] restore = {site.backup().path("restore")};
            until("L3 is restored", WARM_SECONDS, () -> {
                restore[0] = site.backup().path("restore");
                refuseLate(restore[0]);
                return restore[0].path("state").asText().equals("done");
            });
            measure("restored_seconds", sinceBreakMillis() / 1000.0);
            measure("restored_bytes", restore[0].path("bytes").asLong());
            return restore[0].path("entries").asLong() + " entries, " + seconds(sinceBreakMillis())
                    + " after the break";
        });
    }

    /** Fills L2 and L1 from L3. */
    void warm() throws Exception {
        stage("warm up", () -> {
            JsonNode end = site.job("/warmup", "{\"entries_per_second\": 10000000}", WARM_SECONDS);
            long warm = sinceBreakMillis();
            long there = end.path("copied").asLong() + end.path("superseded").asLong();
            measure("warm_seconds", warm / 1000.0);
            measure("warmed_entries", there);
            objective(
                    "fully warm",
                    "all " + plan.entries() + " entries in "
                            + seconds(plan.objectives().warm().toMillis()),
                    there + " in " + seconds(warm),
                    there >= plan.entries() && warm <= plan.objectives().warm().toMillis());
            return there + " entries are in L2, " + end.path("failed").asLong() + " failed";
        });
    }

    /** Takes something out of the repository, when that is asked for. */
    void sabotage() throws Exception {
        if (plan.sabotage()) {
            stage("sabotage", () -> {
                try (Bucket bucket = site.bucket()) {
                    BlobStore.Stat victim = bucket.victimOfAll();
                    bucket.lose(victim.name());
                    return "took " + victim.name() + " out of the repository, as --sabotage says";
                }
            });
        }
    }

    /** Makes the folder of L3 anew from the repository. */
    void restore(String... more) throws Exception {
        sabotage();
        stage("restore", () -> {
            List<String> words = new ArrayList<>(List.of("restore", "--json"));
            words.addAll(List.of(more));
            JsonNode report = NodeCalls.JSON.readTree(site.mustType(words.toArray(String[]::new)));
            measure("restored_bytes", report.path("bytes").asLong());
            return report.path("bytes").asLong() + " bytes of "
                    + report.path("writers").asInt() + " writers, through "
                    + report.path("through").asText();
        });
    }

    /** Everything that was acknowledged must be there, but for what {@code rpo} gives up. */
    void verify(Duration rpo) throws Exception {
        verify(ledger, rpo);
    }

    void verify(Ledger expected, Duration rpo) throws Exception {
        stage("verify", () -> {
            Audit.Result found = new Audit(site.calls(), expected, brokenNanos).run();
            measure("rpo_seconds", found.rpoMillis() / 1000.0);
            measure("entries", expected.entries());
            measure("entries_verified", found.verified());
            measure("entries_older", found.older());
            measure("entries_missing", found.missing());
            measure("entries_wrong", found.wrong());
            measure("entries_unanswered", found.unanswered());
            measure("writes_acknowledged", expected.acknowledged());
            measure("writes_lost", found.lostWrites());
            long allowed = rpo.toMillis();
            objective(
                    "RPO: acknowledged writes lost",
                    allowed == 0 ? "none" : "none older than " + seconds(allowed),
                    found.lostWrites() == 0
                            ? "none"
                            : found.lostWrites() + ", the oldest " + seconds(found.rpoMillis()) + " before the break",
                    allowed == 0 ? found.lostWrites() == 0 : found.rpoMillis() <= allowed);
            long bad = found.wrong() + found.unanswered();
            objective(
                    "every key answers with bytes and version that were written",
                    expected.entries() + " keys",
                    bad == 0 ? "all" : found.wrong() + " wrong, " + found.unanswered() + " without an answer",
                    bad == 0);
            return found.verified() + " of " + expected.entries() + " hold their newest acknowledged write, "
                    + found.older() + " an older one, " + found.missing() + " nothing, " + found.wrong() + " are wrong";
        });
    }

    /** Nothing that was read while it was broken may have been wrong. */
    void judgeTraffic() {
        Traffic over = traffic;
        if (over != null) {
            Traffic.Totals totals = over.totals();
            objective(
                    "no wrong answer under load",
                    "0 of " + totals.reads() + " reads",
                    Long.toString(totals.readsWrong()),
                    totals.readsWrong() == 0);
        }
    }

    /** At least {@code percent} of calls succeeded. */
    void mostly(String what, long all, long failed, int percent) {
        objective(
                what,
                "at least " + percent + " %",
                all - failed + " of " + all,
                all > 0 && (all - failed) * 100 >= all * percent);
    }

    /** The moment that is now, when nothing else was written within the same millisecond or the next. */
    Instant moment() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        Instant now = site.clock().instant();
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        return now;
    }
}
