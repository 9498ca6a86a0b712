package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tags, caches and namespaces are invalidated in every tier and on every node, and stay so. */
class TagsTest {
    private final HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
    private final HeapLog log = new HeapLog();
    private final List<CacheCoordinator> nodes = new ArrayList<>();
    private long nextId = 1;

    private CacheCoordinator node(HeapTier backup, boolean hearing) {
        return node(remote, backup, hearing);
    }

    private CacheCoordinator node(HeapTier l2, HeapTier backup, boolean hearing) {
        CacheCoordinator.Builder builder = CacheCoordinator.builder()
                .nodeId(nextId++)
                .promises(SimulatedFleet.PROMISES)
                .tier(new HeapLocalTier(InstantSource.system()))
                .tier(new LastingTier(l2))
                .tier(new LastingTier(backup));
        if (hearing) {
            builder.backplane(log.open());
        }
        CacheCoordinator node = builder.build();
        nodes.add(node);
        return node;
    }

    private static HeapTier backup() {
        return new HeapTier(TierLevel.L3, InstantSource.system());
    }

    private static Cache<String, String> cache(CacheCoordinator node) {
        return cache(node, "c");
    }

    private static Cache<String, String> cache(CacheCoordinator node, String name) {
        return node.cache(name, Codecs.stringKey(), Codecs.string());
    }

    private static WriteOptions tagged(String... tags) {
        return WriteOptions.DEFAULTS.withTags(tags);
    }

    @AfterEach
    void close() {
        nodes.forEach(CacheCoordinator::close);
    }

    @Test
    void moreTagsThanAreRememberedBringNothingBackWhereNobodyCanBeAsked() {
        CacheCoordinator node = CacheCoordinator.builder()
                .tier(new HeapLocalTier(InstantSource.system()))
                .build();
        nodes.add(node);
        Cache<String, String> cache = cache(node);
        cache.put("old", "invalidated", tagged("first"));
        cache.put("other", "not invalidated", tagged("never"));
        cache.invalidateTags(List.of("first"));
        for (int from = 0; from <= TagMarkers.MOST_KNOWN; from += Markers.MOST_TAGS) {
            Set<String> tags = new HashSet<>();
            for (int i = 0; i < Markers.MOST_TAGS; i++) {
                tags.add("tag" + (from + i));
            }
            cache.invalidateTags(tags);
        }
        assertThat(cache.get("old")).isNull();
        assertThat(cache.get("old")).as("asked again").isNull();
        cache.put("new", "younger than all", tagged("first"));
        assertThat(cache.get("new")).isEqualTo("younger than all");
    }

    @Test
    void manyTagsAtOnceAreManyMarkersAndTooManyAreRefused() {
        Cache<String, String> cache = cache(node(backup(), true));
        List<String> tags = new ArrayList<>();
        for (int i = 0; i < 250; i++) {
            tags.add("t" + i);
            cache.put("k" + i, "v", WriteOptions.DEFAULTS.withTags("t" + i));
        }
        WriteReceipt receipt = cache.invalidateTags(tags);
        assertThat(receipt.missed()).isEmpty();
        for (int i = 0; i < 250; i++) {
            assertThat(cache.get("k" + i)).isNull();
        }
        for (int i = 250; i <= Markers.MOST_TAGS; i++) {
            tags.add("t" + i);
        }
        assertThatThrownBy(() -> cache.invalidateTags(tags))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("1001 tags")
                .hasMessageContaining("1000");
    }

    /** Whatever kept L3 from answering while it was restored: a slow answer, a full queue, an open breaker. */
    @Test
    void aMarkerThatARestoreCouldNotTellYetIsAskedForAgain() {
        HeapTier lost = backup();
        try (CacheCoordinator before = CacheCoordinator.builder()
                .nodeId(98)
                .tier(new LastingTier(lost))
                .build()) {
            cache(before).put("a", "1", tagged("red"));
            cache(before).put("b", "2", tagged("blue"));
            cache(before).invalidateTags(List.of("red"));
        }
        CacheKey marker = MarkerKeys.ofTag("c", "red");
        ComingTier coming = new ComingTier(lost, marker::equals, Unavailability.OVERLOADED);
        CacheCoordinator node =
                CacheCoordinator.builder().nodeId(99).tier(coming).build();
        nodes.add(node);
        Cache<String, String> cache = cache(node);
        await().until(() -> {
            cache.get("a");
            return coming.hasRefused(marker);
        });
        coming.becomesWhole();
        assertThat(cache.get("a")).isNull();
        assertThat(cache.get("b")).isEqualTo("2");
    }

    @Test
    void whatCarriesTheTagIsGoneAndNothingElse() {
        Cache<String, String> cache = cache(node(backup(), true));
        cache.put("a", "1", tagged("red"));
        cache.put("b", "2", tagged("blue", "red"));
        cache.put("c", "3", tagged("blue"));
        cache.put("d", "4");
        WriteReceipt receipt = cache.invalidateTags(Set.of("red"));
        assertThat(receipt.applied()).isTrue();
        assertThat(receipt.announced()).isTrue();
        assertThat(cache.getAll(List.of("a", "b", "c", "d")))
                .containsOnlyKeys("c", "d")
                .containsEntry("c", "3");
        assertThat(cache.get("a")).isNull();
        assertThat(cache.read("b").isPresent()).isFalse();
        assertThat(cache.explain("b").toString()).contains("red", "was invalidated");
        cache.put("a", "5", tagged("red"));
        assertThat(cache.get("a")).isEqualTo("5");
        assertThat(cache.putIfAbsent("b", "6", tagged("blue")).applied()).isTrue();
        cache.invalidateTags(List.of("blue", "red"));
        assertThat(cache.getAll(List.of("a", "b", "c", "d"))).containsOnlyKeys("d");
    }

    @Test
    void aLoadThatBeganBeforeIsNotKept() throws Exception {
        Cache<String, String> cache = cache(node(backup(), true));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> loading = CompletableFuture.supplyAsync(() -> cache.get(
                "k",
                key -> {
                    begun.countDown();
                    assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                    return "old";
                },
                tagged("red")));
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        cache.invalidateTags(Set.of("red"));
        goOn.countDown();
        assertThat(loading.get(10, TimeUnit.SECONDS)).isEqualTo("old");
        assertThat(cache.get("k")).isNull();
        assertThat(cache.get("k", key -> "new", tagged("red").withTtl(Duration.ofMinutes(1))))
                .isEqualTo("new");
        assertThat(cache.get("k")).isEqualTo("new");
    }

    @Test
    void otherNodesHearOfIt() {
        for (String name : List.of("eventual", "bounded", "strict")) {
            Cache<String, String> mine = cache(node(backup(), true), name);
            Cache<String, String> theirs = cache(node(backup(), true), name);
            mine.put("k", "1", tagged("red"));
            await().untilAsserted(() -> assertThat(theirs.get("k")).isEqualTo("1"));
            await().until(() -> {
                theirs.put("other", "x", tagged("red"));
                return mine.invalidateTags(Set.of("red")).announced();
            });
            await().untilAsserted(() -> assertThat(theirs.get("k")).isNull());
            await().untilAsserted(() -> assertThat(theirs.get("other")).isNull());
        }
    }

    @Test
    void withoutABackplaneOtherNodesSeeItWithinSeconds() {
        Cache<String, String> mine = cache(node(backup(), false));
        Cache<String, String> theirs = cache(node(backup(), false));
        mine.put("a", "1", tagged("red"));
        mine.put("b", "2", tagged("blue"));
        mine.put("e", "3", tagged("early"));
        assertThat(theirs.get("a")).isEqualTo("1");
        assertThat(theirs.get("b")).isEqualTo("2");
        assertThat(theirs.get("e")).isEqualTo("3");
        mine.invalidateTags(Set.of("green"));
        // Long enough that they have learned that some tag was invalidated, and found out that it was neither of these.
        await().during(Duration.ofMillis(2_500))
                .atMost(Duration.ofSeconds(10))
                .until(() -> "1".equals(theirs.get("a")) && "2".equals(theirs.get("b")) && "3".equals(theirs.get("e")));
        mine.invalidateTags(Set.of("early"));
        await().atMost(Duration.ofSeconds(10)).until(() -> theirs.get("e") == null);
        mine.invalidateTags(Set.of("red"));
        // Its own invalidation is newer, and must not hide that it has not heard of the other one.
        theirs.invalidateTags(Set.of("blue"));
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            assertThat(theirs.get("a")).isNull();
            assertThat(mine.get("b")).isNull();
        });
    }

    @Test
    void aNodeThatComesLaterOrAgainKnowsOfIt() {
        HeapTier disk = backup();
        CacheCoordinator first = node(disk, true);
        cache(first).put("k", "1", tagged("red"));
        cache(first).put("other", "2", tagged("blue"));
        cache(first).invalidateTags(Set.of("red"));
        assertThat(cache(node(backup(), true)).get("k")).isNull();
        first.close();
        Cache<String, String> again = cache(node(disk, true));
        assertThat(again.get("k")).isNull();
        assertThat(again.get("other")).isEqualTo("2");
    }

    @Test
    void itHoldsWhenL2IsLostAndL3IsKept() {
        HeapTier disk = backup();
        CacheCoordinator first = node(disk, true);
        cache(first).put("k", "1", tagged("red"));
        cache(first).put("other", "2", tagged("blue"));
        cache(first).invalidateTags(Set.of("red"));
        first.close();
        CacheCoordinator second = node(new HeapTier(TierLevel.L2, InstantSource.system()), disk, true);
        WarmupReport report = second.warmUp(new WarmupPlan(Set.of(), 1_000_000, 1_000_000, true), progress -> {});
        assertThat(report.progress().copied()).isEqualTo(1);
        assertThat(cache(second).get("k")).isNull();
        assertThat(cache(second).get("other")).isEqualTo("2");
    }

    @Test
    void namespacesAreClearedAsCachesAre() {
        HeapTier disk = backup();
        CacheCoordinator one = node(disk, true);
        CacheCoordinator two = node(backup(), true);
        for (String name : List.of("acme/quotes", "acme/users", "other/quotes", "acme")) {
            cache(one, name).put("k", "1");
            assertThat(cache(two, name).get("k")).isEqualTo("1");
        }
        await().until(() -> one.clearNamespace("acme").announced());
        for (CacheCoordinator node : List.of(one, two, node(backup(), true))) {
            await().untilAsserted(() ->
                    assertThat(cache(node, "acme/quotes").get("k")).isNull());
            await().untilAsserted(
                            () -> assertThat(cache(node, "acme/users").get("k")).isNull());
            assertThat(cache(node, "other/quotes").get("k")).isEqualTo("1");
            assertThat(cache(node, "acme").get("k")).isEqualTo("1");
        }
        one.close();
        assertThat(cache(node(new HeapTier(TierLevel.L2, InstantSource.system()), disk, true), "acme/users")
                        .get("k"))
                .isNull();
        assertThatThrownBy(() -> two.clearNamespace("a/b")).isInstanceOf(BadInputException.class);
    }

    @Test
    void badTagsAreNamed() {
        Cache<String, String> cache = cache(node(backup(), true));
        assertThatThrownBy(() -> cache.invalidateTags(Set.of())).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> cache.invalidateTags(Set.of("")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("empty tag");
        assertThatThrownBy(() -> tagged("x".repeat(129)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("129");
        String[] many = new String[33];
        for (int i = 0; i < many.length; i++) {
            many[i] = "t" + i;
        }
        assertThatThrownBy(() -> tagged(many))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("33 tags");
    }

    /** Random operations on two nodes that hear each other at once, restarts and losses of L1 included, beside a plain map. */
    @Test
    void randomOperationsAgreeWithAModel() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("TagsTest seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Set<String>> model = new HashMap<>();
        HeapTier[] disks = {backup(), backup()};
        CacheCoordinator[] pair = {node(disks[0], true), node(disks[1], true)};
        for (int step = 0; step < 1_500; step++) {
            int which = random.nextInt(2);
            Cache<String, String> cache = cache(pair[which], "strict");
            String key = "k" + random.nextInt(12);
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> {
                    Set<String> tags = someTags(random);
                    acknowledged(() -> cache.put(key, "v", WriteOptions.DEFAULTS.withTags(tags)));
                    model.put(key, tags);
                }
                case 3 -> {
                    Set<String> tags = someTags(random);
                    if (cache.get(key, same -> "v", WriteOptions.DEFAULTS.withTags(tags)) != null) {
                        model.putIfAbsent(key, tags);
                    }
                }
                case 4 -> {
                    String tag = "t" + random.nextInt(4);
                    acknowledged(() -> cache.invalidateTags(Set.of(tag)));
                    model.values().removeIf(tags -> tags.contains(tag));
                }
                case 5 -> {
                    acknowledged(() -> cache.invalidate(key));
                    model.remove(key);
                }
                case 6 -> {
                    if (random.nextInt(20) == 0) {
                        acknowledged(cache::clear);
                        model.clear();
                    } else if (random.nextInt(20) == 0) {
                        pair[which].close();
                        pair[which] = node(disks[which], true);
                    }
                }
                default ->
                    assertThat(cache.get(key) != null)
                            .as("step %d: %s with %s", step, key, model.get(key))
                            .isEqualTo(model.containsKey(key));
            }
        }
    }

    private static Set<String> someTags(SplittableRandom random) {
        Set<String> tags = new HashSet<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            tags.add("t" + random.nextInt(4));
        }
        return tags;
    }

    /** A strict write may be unsure while nodes come and go; then it is repeated. */
    private static void acknowledged(java.util.function.Supplier<WriteReceipt> write) {
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(1))
                .ignoreExceptionsInstanceOf(dev.terrace.api.UnavailableException.class)
                .until(() -> write.get().announced());
    }
}
