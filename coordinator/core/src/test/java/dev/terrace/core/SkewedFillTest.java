package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A load that began before another node's write never replaces it, even when the loading node's clock is far ahead. */
class SkewedFillTest {
    private static final long AHEAD_MILLIS = 30_000;

    private final HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
    private final CacheCoordinator ahead =
            node(1, InstantSource.offset(InstantSource.system(), Duration.ofMillis(AHEAD_MILLIS)));
    private final CacheCoordinator exact = node(2, InstantSource.system());

    private CacheCoordinator node(long id, InstantSource clock) {
        return CacheCoordinator.builder().nodeId(id).clock(clock).tier(remote).build();
    }

    private static Cache<String, String> cache(CacheCoordinator node) {
        return node.cache("c", Codecs.stringKey(), Codecs.string());
    }

    private String held() {
        Lookup lookup = remote.get(CacheKey.of("c", "k")).toCompletableFuture().join();
        return lookup instanceof Lookup.Hit hit && hit.entry().isValue()
                ? new String(hit.entry().payload(), StandardCharsets.UTF_8)
                : "";
    }

    @AfterEach
    void close() {
        ahead.close();
        exact.close();
    }

    @Test
    @Tag("F29")
    void aWriteDuringTheLoadWins() throws Exception {
        assertThat(loadWhile(() -> cache(exact).put("k", "new"))).isEqualTo("old");
        assertThat(held()).isEqualTo("new");
        assertThat(cache(exact).get("k")).isEqualTo("new");
    }

    @Test
    void anInvalidationDuringTheLoadWins() throws Exception {
        assertThat(loadWhile(() -> cache(exact).invalidate("k"))).isEqualTo("old");
        assertThat(held()).isEmpty();
    }

    @Test
    void aBulkLoadLosesToo() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletionStage<Map<String, String>> loading = cache(ahead).async().getAll(List.of("k", "other"), keys -> {
            begun.countDown();
            assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
            return Map.of("k", "old", "other", "loaded");
        });
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        cache(exact).put("k", "new");
        goOn.countDown();
        assertThat(loading.toCompletableFuture().get(10, TimeUnit.SECONDS)).containsEntry("other", "loaded");
        assertThat(held()).isEqualTo("new");
        assertThat(cache(exact).getAll(List.of("k", "other")))
                .containsEntry("k", "new")
                .containsKey("other");
    }

    @Test
    void withoutAWriteInBetweenTheLoadIsKept() throws Exception {
        assertThat(loadWhile(() -> {})).isEqualTo("old");
        assertThat(held()).isEqualTo("old");
        ReadResult<String> read = cache(exact).read("k");
        assertThat(read.freshness()).isEqualTo(Freshness.FRESH);
    }

    private String loadWhile(Runnable meanwhile) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> loading = cache(ahead)
                .async()
                .get("k", key -> {
                    begun.countDown();
                    assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                    return "old";
                })
                .toCompletableFuture();
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        meanwhile.run();
        goOn.countDown();
        return loading.get(10, TimeUnit.SECONDS);
    }
}
