package dev.terrace.node.ladder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Rung;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The table of what is lost, how soon that is noticed, how soon all is well again, and how many reads fail meanwhile: nodes with real
 * Redis servers and RocksDB under load, of which parts are killed, frozen and made slow. Asserts what users were promised and
 * prints what it took. {@code -Dtable.rounds=5 -Dtable.at.once=1} measures with care.
 */
@Tag("alone")
class FaultTableIT {
    /** Rows that run at the same time: most of a row is waiting. */
    private static final int AT_ONCE = Integer.getInteger("terrace.table.at.once", 4);

    private static final int ROUNDS = Integer.getInteger("terrace.table.rounds", 1);

    @TempDir
    Path folder;

    /**
     * Limits of a row.
     *
     * @param detectAim what is aimed at
     * @param detect what is promised, and asserted
     * @param recoverAim what is aimed at
     * @param recover what is promised, and asserted
     */
    private record Limits(Duration detectAim, Duration detect, Duration recoverAim, Duration recover) {
        static Limits ofSeconds(double detectAim, int detect, int recoverAim, int recover) {
            return new Limits(
                    Duration.ofMillis((long) (detectAim * 1_000)),
                    Duration.ofSeconds(detect),
                    Duration.ofSeconds(recoverAim),
                    Duration.ofSeconds(recover));
        }
    }

    private static final Limits ONE_ZONE = Limits.ofSeconds(1.5, 5, 5, 30);
    private static final Limits ALL_OF_L2 = Limits.ofSeconds(1.5, 10, 10, 60);
    private static final Limits L2_AND_L3 = Limits.ofSeconds(3, 10, 15, 60);
    private static final Limits ALL_BUT_L1 = Limits.ofSeconds(5, 15, 30, 120);

    private enum Row {
        ZONE_KILLED(
                "one zone of three killed",
                3,
                ONE_ZONE,
                site -> site.redis.get(0).kill(),
                site -> site.redis.get(0).restart()),
        ZONE_FROZEN(
                "one zone of three frozen",
                3,
                ONE_ZONE,
                site -> site.redis.get(0).freeze(),
                site -> site.redis.get(0).thaw()),
        ZONE_SLOW(
                "one zone of three slow by 2 s",
                3,
                ONE_ZONE,
                site -> site.links.get(0).delay(Site.SLOW),
                site -> site.links.get(0).heal()),
        L2_KILLED(
                "all of L2 killed",
                1,
                ALL_OF_L2,
                site -> site.redis.forEach(RedisProcess::kill),
                site -> site.redis.forEach(RedisProcess::restart)),
        L2_FROZEN(
                "all of L2, three zones, frozen",
                3,
                ALL_OF_L2,
                site -> site.redis.forEach(RedisProcess::freeze),
                site -> site.redis.forEach(RedisProcess::thaw)),
        L2_SLOW(
                "all of L2 slow by 2 s",
                1,
                ALL_OF_L2,
                site -> site.links.forEach(link -> link.delay(Site.SLOW)),
                site -> site.links.forEach(TcpProxy::heal)),
        L2_AND_L3_LOST(
                "L2 killed, L3's folder removed",
                1,
                L2_AND_L3,
                Site::loseBoth,
                site -> site.redis.forEach(RedisProcess::restart)),
        ALL_BUT_L1_LOST("the same, and the origin dead", 1, ALL_BUT_L1, Site::loseAllButL1, Site::mendAllButL1);

        final String what;
        final int zones;
        final Limits limits;
        final Consumer<Site> begin;
        final Consumer<Site> end;

        Row(String what, int zones, Limits limits, Consumer<Site> begin, Consumer<Site> end) {
            this.what = what;
            this.zones = zones;
            this.limits = limits;
            this.begin = begin;
            this.end = end;
        }

        Predicate<Site> noticed() {
            return switch (this) {
                case ZONE_KILLED, ZONE_FROZEN, ZONE_SLOW -> site -> site.says("zone zone-0", "down");
                case L2_KILLED, L2_FROZEN, L2_SLOW -> site -> site.isAt(Rung.LOCAL_ONLY);
                case L2_AND_L3_LOST, ALL_BUT_L1_LOST -> site -> site.isAt(Rung.READ_ONLY);
            };
        }
    }

    /** What one row took. */
    private record Measured(Row row, long detectMillis, long recoverMillis, Site.Reads reads) {
        @Override
        public String toString() {
            return "| %s | %d ms | %d ms / %d ms | %d ms | %d ms / %d ms | %d of %d | %s | %s |"
                    .formatted(
                            row.what,
                            detectMillis,
                            row.limits.detectAim().toMillis(),
                            row.limits.detect().toMillis(),
                            recoverMillis,
                            row.limits.recoverAim().toMillis(),
                            row.limits.recover().toMillis(),
                            reads.failed(),
                            reads.all(),
                            reads.refused(),
                            reads.behind());
        }
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    @Tag("F01")
    @Tag("F02")
    @Tag("F16")
    @Tag("F67")
    void whatIsLostIsNoticedAndTakenInAgainInTimeAndNoReadFails() throws Exception {
        List<Measured> all = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            all.addAll(round(round));
        }
        StringBuilder table = new StringBuilder(
                "| lost | noticed | aim / limit | well again | aim / limit | failed reads | keys not held, origin dead | yet to do then |%n| --- | --- | --- | --- | --- | --- | --- | --- |%n"
                        .formatted());
        all.forEach(row -> table.append(row).append(System.lineSeparator()));
        System.out.println("FaultTableIT, rows at once: " + AT_ONCE + System.lineSeparator() + table);
        for (Measured one : all) {
            assertThat(one.reads.failed())
                    .as(one.row.what + ": %s", one.reads.firstFailure())
                    .isZero();
            assertThat(one.reads.all()).as(one.row.what).isPositive();
            assertThat(Duration.ofMillis(one.detectMillis))
                    .as(one.row.what)
                    .isLessThanOrEqualTo(one.row.limits.detect());
            assertThat(Duration.ofMillis(one.recoverMillis))
                    .as(one.row.what)
                    .isLessThanOrEqualTo(one.row.limits.recover());
        }
    }

    private List<Measured> round(int round) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
        try {
            List<Future<Measured>> rows = new ArrayList<>();
            for (Row row : Row.values()) {
                rows.add(pool.submit(() -> measure(row, folder.resolve(row + "-" + round))));
            }
            List<Measured> measured = new ArrayList<>();
            for (Future<Measured> row : rows) {
                measured.add(row.get());
            }
            return measured;
        } finally {
            pool.shutdownNow();
        }
    }

    private static Measured measure(Row row, Path where) throws Exception {
        try (Site site = new Site(where, row.zones)) {
            long begun = System.nanoTime();
            row.begin.accept(site);
            site.awaitUntil(row.limits.detect(), row.what + " noticed", row.noticed());
            long detect = System.nanoTime() - begun;
            site.whileItLasts(row == Row.ALL_BUT_L1_LOST);
            begun = System.nanoTime();
            row.end.accept(site);
            site.awaitUntil(row.limits.recover(), row.what + " well again", Site::isWell);
            long recover = System.nanoTime() - begun;
            return new Measured(row, detect / 1_000_000, recover / 1_000_000, site.reads());
        }
    }
}
