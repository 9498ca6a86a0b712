package dev.terrace.testkit;

import static dev.terrace.testkit.Entries.text;
import static dev.terrace.testkit.Entries.tombstone;
import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static dev.terrace.testkit.Stages.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Replica} promises, on top of what every {@link Tier} does. A zone's test class extends this and says how to
 * open an empty one, how to open it as another node does, and how to make it forget.
 */
public abstract class ReplicaContract extends AdmissionContract {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Test
    void votesSeeTombstonesAndNothingPastItsTime() {
        CacheKey key = key("gone");
        put(entry(key, above()));
        Entry tombstone = tombstone(key, above(), clock.millis(), TTL);
        assertThat(put(tombstone)).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.vote(key))).isEqualTo(hit(tombstone));
        clock.advance(TTL);
        assertThat(await(zone.vote(key))).isEqualTo(Lookup.MISS);
    }

    @Test
    void theHighestVersionIsThatHeldOrPromised() {
        CacheKey key = key("highest");
        assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(null));
        Version first = above();
        Version second = above();
        Version third = above();
        assertThat(promise(key, first)).isEqualTo(new Promise.Given(null));
        assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(first));
        put(entry(key, second));
        assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(second));
        promise(key, third);
        assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(third));
    }

    @Test
    void aPromiseIsGivenWhenNothingNewerIsHeldOrPromised() {
        CacheKey key = key("promise");
        Version first = above();
        Entry held = entry(key, above());
        Version third = above();
        Version fourth = above();
        put(held);
        assertThat(promise(key, first)).isEqualTo(new Promise.Denied(held.version()));
        assertThat(promise(key, fourth)).isEqualTo(new Promise.Given(held));
        assertThat(promise(key, third)).isEqualTo(new Promise.Denied(fourth));
        assertThat(promise(key, fourth)).as("asked again").isEqualTo(new Promise.Given(held));
        clock.advance(TTL);
        assertThat(promise(key, above())).as("what is held is past its time").isEqualTo(new Promise.Given(null));
    }

    @Test
    void onlyWhatWasPromisedIsAccepted() {
        CacheKey key = key("accept");
        Entry first = entry(key, above());
        Entry second = entry(key, above());
        assertThat(await(zone.accept(first))).as("nothing promised").isNotEqualTo(StoreOutcome.APPLIED);
        promise(key, first.version());
        assertThat(await(zone.accept(second))).as("a lower promise").isNotEqualTo(StoreOutcome.APPLIED);
        promise(key, second.version());
        assertThat(await(zone.accept(first))).isEqualTo(new StoreOutcome.Promised(second.version()));
        assertThat(await(zone.vote(key))).isEqualTo(Lookup.MISS);
        assertThat(await(zone.accept(second))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.accept(second))).as("asked again").isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.vote(key))).isEqualTo(hit(second));
        assertThat(await(zone.accept(first))).isEqualTo(new StoreOutcome.Superseded(second.version()));
        assertThat(put(first)).as("the promise stays").isEqualTo(new StoreOutcome.Promised(second.version()));
    }

    @Test
    void whatIsOlderThanAPromiseIsToldOfItWhateverIsHeldByNow() {
        CacheKey key = key("outlived");
        Entry held = entry(key, above());
        Entry late = entry(key, above());
        Entry promised = entry(key, above());
        Entry newer = entry(key, above());
        put(held);
        promise(key, promised.version());
        assertThat(put(newer)).isEqualTo(StoreOutcome.APPLIED);
        StoreOutcome told = new StoreOutcome.Promised(promised.version());
        assertThat(put(late)).isEqualTo(told);
        assertThat(await(zone.putAll(List.of(held, late)))).containsExactly(told, told);
        for (WriteCondition condition : List.of(
                WriteCondition.IF_ABSENT,
                new WriteCondition.IfVersion(held.version()),
                new WriteCondition.IfVersion(newer.version()))) {
            assertThat(await(zone.put(late, condition))).isEqualTo(told);
        }
        assertThat(put(newer)).as("held already").isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.vote(key))).isEqualTo(hit(newer));
        assertThat(put(promised))
                .as("not older than the promise")
                .isEqualTo(new StoreOutcome.Superseded(newer.version()));
    }

    @Test
    void aLaterPromiseDoesNotShortenAnEarlierOne() {
        CacheKey key = key("kept");
        Version first = above();
        Version second = above();
        promise(key, first);
        Duration brief = Duration.ofMillis(20);
        assertThat(await(zone.promise(key, first, brief))).isEqualTo(new Promise.Given(null));
        assertThat(await(zone.promise(key, second, brief))).isEqualTo(new Promise.Given(null));
        clock.advance(brief.multipliedBy(5));
        Awaitility.await()
                .during(brief.multipliedBy(10))
                .atMost(PATIENCE)
                .until(() -> await(zone.query(key)).equals(new Ballot.Known(second)));
    }

    @Test
    void aPromiseOutdoneByAPlainWriteIsNotAccepted() {
        CacheKey key = key("outdone");
        Entry promised = entry(key, above());
        Entry newer = entry(key, above());
        promise(key, promised.version());
        assertThat(put(newer)).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.accept(promised))).isEqualTo(new StoreOutcome.Superseded(newer.version()));
        assertThat(await(zone.vote(key))).isEqualTo(hit(newer));
    }

    @Test
    void writesBelowAPromiseAreTold() {
        CacheKey key = key("below");
        Entry held = entry(key, above());
        Entry late = entry(key, above());
        Version promised = above();
        put(held);
        promise(key, promised);
        StoreOutcome told = new StoreOutcome.Promised(promised);
        assertThat(put(late)).isEqualTo(told);
        assertThat(await(zone.put(late, new WriteCondition.IfVersion(held.version()))))
                .isEqualTo(told);
        assertThat(await(zone.putAll(List.of(late)))).containsExactly(told);
        assertThat(put(held)).as("held already").isEqualTo(StoreOutcome.APPLIED);
        assertThat(put(entry(key, version(clock.millis(), 1)))).isEqualTo(told);
        assertThat(await(zone.put(late, new WriteCondition.IfVersion(late.version()))))
                .isEqualTo(told);
        assertThat(await(zone.vote(key))).isEqualTo(hit(held));
        Entry above = entry(key, above());
        assertThat(put(above)).isEqualTo(StoreOutcome.APPLIED);
    }

    @Test
    void aPromiseIsForgottenInTime() {
        CacheKey key = key("brief");
        Entry entry = entry(key, above());
        Duration keep = Duration.ofMillis(50);
        assertThat(await(zone.promise(key, entry.version(), keep))).isEqualTo(new Promise.Given(null));
        clock.advance(keep.multipliedBy(2));
        Awaitility.await()
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(null)));
        assertThat(await(zone.accept(entry))).isNotEqualTo(StoreOutcome.APPLIED);
        assertThat(put(entry(key, version(clock.millis(), 1))))
                .as("the promise stands against nothing any more")
                .isEqualTo(StoreOutcome.APPLIED);
    }

    @Test
    void promisesCompareVersionsAsUnsignedNumbersInEveryPart() {
        long now = clock.millis();
        List<Version> ascending = List.of(
                Version.of(now - 1, 0xFFFF, -1L),
                Version.of(now, 0, 0x0000_0000_FFFF_FFFFL),
                Version.of(now, 0, 0x0000_0001_0000_0000L),
                Version.of(now, 0, Long.MIN_VALUE),
                Version.of(now, 0, -1L),
                Version.of(now, 0xFF, 0),
                Version.of(now, 0x100, 0),
                Version.of(now, 0xFFFF, 0),
                Version.of(now + 1, 0, 0));
        CacheKey key = key("unsigned promise");
        for (int i = 0; i < ascending.size(); i++) {
            Version version = ascending.get(i);
            assertThat(promise(key, version)).as("version %d", i).isInstanceOf(Promise.Given.class);
            if (i > 0) {
                Version before = ascending.get(i - 1);
                assertThat(promise(key, before)).isEqualTo(new Promise.Denied(version));
                // The even ones were accepted, and are held.
                StoreOutcome told = i % 2 == 1 ? StoreOutcome.APPLIED : new StoreOutcome.Promised(version);
                assertThat(put(entry(key, before))).isEqualTo(told);
                assertThat(await(zone.accept(entry(key, before)))).isEqualTo(told);
            }
            assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(version));
            if (i % 2 == 0) {
                assertThat(await(zone.accept(entry(key, version)))).isEqualTo(StoreOutcome.APPLIED);
            }
        }
    }

    @Test
    void anOlderVersionNeverReplacesANewerOneEvenPastItsTime() {
        CacheKey key = key("monotone");
        Version old = above();
        Version newer = above();
        put(value(key, newer, clock.millis(), Duration.ofSeconds(30), "newer"));
        clock.advance(Duration.ofSeconds(31));
        for (WriteCondition condition : List.of(WriteCondition.IF_NEWER, WriteCondition.IF_ABSENT)) {
            StoreOutcome outcome = await(zone.put(entry(key, old), condition));
            // A zone may have dropped what is past its time. While it has it, its version counts.
            if (await(zone.query(key)).equals(new Ballot.Known(newer))) {
                assertThat(outcome).as("%s", condition).isEqualTo(new StoreOutcome.Superseded(newer));
            }
        }
    }

    @Test
    void pagesTellEveryKeyAndVersion() {
        Map<CacheKey, Version> stored = new HashMap<>();
        List<byte[]> odd = List.of(
                new byte[] {0},
                new byte[] {-1, -2, -3},
                "{a}b".getBytes(StandardCharsets.UTF_8),
                "a:b %3A*".getBytes(StandardCharsets.UTF_8),
                new byte[2_000]);
        for (String cache : List.of("zone", "{odd}", "ödd", "a:b")) {
            for (byte[] bytes : odd) {
                stored.put(CacheKey.of(cache, bytes), above());
            }
        }
        for (int i = 0; i < 300; i++) {
            stored.put(key("page-" + i), above());
        }
        List<Entry> entries = new ArrayList<>();
        stored.forEach((key, version) -> entries.add(
                version.counter() % 7 == 0 ? tombstone(key, version, clock.millis(), TTL) : entry(key, version)));
        assertThat(await(zone.putAll(entries))).containsOnly(StoreOutcome.APPLIED);
        Map<CacheKey, Version> promised = new HashMap<>();
        promised.put(key("only promised"), above());
        promised.put(CacheKey.of("{odd}", odd.get(3)), above());
        promised.forEach(this::promise);
        for (int limit : new int[] {1_000, 20}) {
            Map<CacheKey, Version> found = new HashMap<>();
            Map<CacheKey, Version> foundPromises = new HashMap<>();
            int pages = 0;
            String cursor = null;
            do {
                ReplicaPage page = await(zone.page(cursor, limit));
                assertThat(page.failure()).isNull();
                page.items().forEach(item -> found.put(item.key(), item.version()));
                page.promises().forEach(item -> foundPromises.put(item.key(), item.version()));
                cursor = page.next();
                assertThat(++pages).as("pages").isLessThan(1_000);
            } while (cursor != null);
            assertThat(found).isEqualTo(stored);
            assertThat(foundPromises).isEqualTo(promised);
            assertThat(limit == 1_000 || pages > 5).as("%s pages", pages).isTrue();
        }
        assertThat(await(zone.page("no cursor", 10)).failure()).isNotNull();
    }

    @Test
    void aCounterMadeOfPromisesLosesNothing() throws Exception {
        CacheKey key = key("counter");
        int threads = 6;
        int each = 25;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> counted = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long node = i + 1L;
                counted.add(pool.submit(() -> increments(key, node, each)));
            }
            int sum = 0;
            for (Future<Integer> one : counted) {
                sum += one.get(60, TimeUnit.SECONDS);
            }
            assertThat(sum).isPositive();
            Lookup held = await(zone.vote(key));
            assertThat(text(((Lookup.Hit) held).entry())).isEqualTo(Integer.toString(sum));
        } finally {
            pool.shutdownNow();
        }
    }

    /** Tries to add one, {@code times} times; how often it worked. */
    private int increments(CacheKey key, long node, int times) {
        int done = 0;
        for (int i = 0; i < times; i++) {
            Ballot ballot = await(zone.query(key));
            Version above = ((Ballot.Known) ballot).version();
            long clockPart = Math.max(clock.millis() << 16, above == null ? 0 : above.clock() + 1);
            Version mine = new Version(clockPart, node);
            if (promise(key, mine) instanceof Promise.Given given) {
                int before = given.held() == null ? 0 : Integer.parseInt(text(given.held()));
                Entry entry = value(key, mine, clock.millis(), TTL, Integer.toString(before + 1));
                if (await(zone.accept(entry)) instanceof StoreOutcome.Applied) {
                    done++;
                }
            }
        }
        return done;
    }

    @Test
    void agreesWithASimpleModelOfPromisesOverRandomOperations() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + " seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        Map<CacheKey, Entry> held = new HashMap<>();
        Map<CacheKey, Version> promised = new HashMap<>();
        List<Version> issued = new ArrayList<>(List.of(above()));
        for (int step = 0; step < 1_500; step++) {
            CacheKey key = key("model-" + random.nextInt(12));
            Version version = random.nextInt(3) == 0 ? issued.get(random.nextInt(issued.size())) : above();
            issued.add(version);
            Entry entry = entry(key, version);
            Entry before = held.get(key);
            Version kept = promised.get(key);
            boolean isNewer = before == null || version.isNewerThan(before.version());
            boolean same = before != null && version.equals(before.version());
            String when = "step " + step;
            switch (random.nextInt(8)) {
                case 0 -> {
                    Promise expected = !isNewer && !same && before != null
                            ? new Promise.Denied(before.version())
                            : kept != null && kept.isNewerThan(version)
                                    ? new Promise.Denied(kept)
                                    : new Promise.Given(before);
                    assertThat(promise(key, version)).as(when).isEqualTo(expected);
                    if (expected instanceof Promise.Given) {
                        promised.put(key, version);
                    }
                }
                case 1, 2 -> {
                    if (random.nextBoolean() && kept != null) {
                        entry = entry(key, kept);
                        isNewer = before == null || kept.isNewerThan(before.version());
                        same = before != null && kept.equals(before.version());
                    }
                    StoreOutcome outcome = await(zone.accept(entry));
                    if (same) {
                        assertThat(outcome).as(when).isEqualTo(StoreOutcome.APPLIED);
                    } else if (!isNewer && before != null) {
                        assertThat(outcome).as(when).isEqualTo(new StoreOutcome.Superseded(before.version()));
                    } else if (kept != null && kept.isNewerThan(entry.version())) {
                        assertThat(outcome).as(when).isEqualTo(new StoreOutcome.Promised(kept));
                    } else if (entry.version().equals(kept)) {
                        assertThat(outcome).as(when).isEqualTo(StoreOutcome.APPLIED);
                        held.put(key, entry);
                    } else {
                        assertThat(outcome).as(when).isInstanceOf(StoreOutcome.Superseded.class);
                    }
                }
                case 3, 4 -> {
                    boolean onlyIfHeld = random.nextInt(3) == 0;
                    WriteCondition condition = onlyIfHeld && before != null
                            ? new WriteCondition.IfVersion(before.version())
                            : WriteCondition.IF_NEWER;
                    StoreOutcome outcome = await(zone.put(entry, condition));
                    if (same) {
                        assertThat(outcome).as(when).isEqualTo(StoreOutcome.APPLIED);
                    } else if (kept != null && kept.isNewerThan(version)) {
                        assertThat(outcome).as(when).isEqualTo(new StoreOutcome.Promised(kept));
                    } else if (!isNewer && before != null) {
                        assertThat(outcome).as(when).isEqualTo(new StoreOutcome.Superseded(before.version()));
                    } else {
                        assertThat(outcome).as(when).isEqualTo(StoreOutcome.APPLIED);
                        held.put(key, entry);
                    }
                }
                case 5 -> {
                    Version top = before == null ? null : before.version();
                    Ballot ballot = await(zone.query(key));
                    assertThat(ballot)
                            .as(when)
                            .isEqualTo(new Ballot.Known(kept != null && kept.isNewerThan(top) ? kept : top));
                }
                default ->
                    assertThat(await(zone.vote(key))).as(when).isEqualTo(before == null ? Lookup.MISS : hit(before));
            }
        }
    }

    @Test
    void afterCloseAZoneSaysSoAndThrowsNothing() {
        CacheKey key = key("closed");
        zone.close();
        assertThat(await(zone.vote(key)))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.CLOSED));
        assertThat(await(zone.query(key))).isInstanceOf(Ballot.Unknown.class);
        assertThat(await(zone.promise(key, above(), KEEP))).isInstanceOf(Promise.Unknown.class);
        assertThat(await(zone.accept(entry(key, above())))).isInstanceOf(StoreOutcome.Unavailable.class);
        assertThat(await(zone.restore(entry(key, above())))).isInstanceOf(StoreOutcome.Unavailable.class);
        assertThat(await(zone.examine())).isEqualTo(Standing.UNREACHABLE);
        assertThat(await(zone.begin(token()))).isFalse();
        assertThat(await(zone.admit(token()))).isFalse();
        assertThat(await(zone.page(null, 10)).failure()).isNotNull();
    }
}
