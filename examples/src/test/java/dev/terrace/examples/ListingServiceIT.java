package dev.terrace.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.LoaderException;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.examples.ListingService.Catalogue;
import dev.terrace.examples.ListingService.Listing;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What {@code docs/loading.md} shows, run with the settings that it shows. */
class ListingServiceIT {
    private final Market market = new Market();
    private final ManualClock clock = ManualClock.startingNow();

    private static final class Market implements Catalogue {
        final Map<String, Listing> listings = new ConcurrentHashMap<>();
        final AtomicInteger bodies = new AtomicInteger();
        final AtomicInteger asked = new AtomicInteger();
        volatile boolean down;

        @Override
        public @Nullable Listing fetch(String key, @Nullable String etag) throws IOException {
            asked.incrementAndGet();
            if (down || key.startsWith("broken")) {
                throw new IOException("the catalogue is away");
            }
            Listing listing = listings.get(key);
            if (listing != null && listing.etag().equals(etag)) {
                return Listing.UNKNOWN;
            }
            bodies.incrementAndGet();
            return listing;
        }

        @Override
        public CompletionStage<Listing> fetchLater(String key) {
            return CompletableFuture.supplyAsync(() -> listings.getOrDefault(key, Listing.UNKNOWN));
        }
    }

    private static Settings documented() throws IOException {
        String document = Files.readString(Path.of("..", "docs", "loading.md"));
        int from = document.indexOf("```yaml\n") + "```yaml\n".length();
        String yaml = document.substring(from, document.indexOf("```", from));
        return SettingsLoader.parse(yaml, "docs/loading.md", Map.of()).settings();
    }

    private CacheCoordinator open() throws IOException {
        return CacheCoordinator.builder().settings(documented()).clock(clock).build();
    }

    @Test
    void whatDidNotChangeIsNotSentAgainAndIsFreshAgain() throws IOException {
        try (CacheCoordinator terrace = open()) {
            ListingService service = new ListingService(terrace, market);
            market.listings.put("a", new Listing("ten chairs", "v1"));
            assertThat(service.listing("a")).isEqualTo(new Listing("ten chairs", "v1"));
            clock.advance(Duration.ofMinutes(1));
            assertThat(service.listing("a")).isEqualTo(new Listing("ten chairs", "v1"));
            await().untilAsserted(() -> assertThat(market.asked).hasValue(2));
            assertThat(market.bodies).hasValue(1);
        }
    }

    @Test
    void aStaleListingIsShownAtOnceAndTheNewOneFollows() throws IOException {
        try (CacheCoordinator terrace = open()) {
            ListingService service = new ListingService(terrace, market);
            market.listings.put("a", new Listing("ten chairs", "v1"));
            service.listing("a");
            market.listings.put("a", new Listing("nine chairs", "v2"));
            clock.advance(Duration.ofSeconds(35));
            assertThat(service.listing("a")).isEqualTo(new Listing("ten chairs", "v1"));
            await().untilAsserted(() -> assertThat(service.listing("a")).isEqualTo(new Listing("nine chairs", "v2")));
        }
    }

    @Test
    void whileTheCatalogueIsAwayTheStaleListingIsShownOrUnknown() throws IOException {
        try (CacheCoordinator terrace = open()) {
            ListingService service = new ListingService(terrace, market);
            market.listings.put("a", new Listing("ten chairs", "v1"));
            service.listing("a");
            market.down = true;
            clock.advance(Duration.ofMinutes(2));
            assertThat(service.listing("a")).isEqualTo(new Listing("ten chairs", "v1"));
            assertThat(service.listingOrUnknown("b")).isEqualTo(Listing.UNKNOWN);
            assertThatThrownBy(() -> service.listing("b")).isInstanceOf(LoaderException.class);
        }
    }

    @Test
    void whatIsNotThereIsRememberedForAsLongAsTheLoaderSays() throws IOException {
        try (CacheCoordinator terrace = open()) {
            ListingService service = new ListingService(terrace, market);
            assertThat(service.listing("none")).isNull();
            assertThat(service.listing("none")).isNull();
            assertThat(market.asked).hasValue(1);
            clock.advance(Duration.ofSeconds(5));
            assertThat(service.listing("none")).isNull();
            assertThat(market.asked).hasValue(2);
        }
    }

    @Test
    void anAsynchronousLoaderAndABulkOneThatFailsInPart() throws IOException {
        try (CacheCoordinator terrace = open()) {
            ListingService service = new ListingService(terrace, market);
            market.listings.put("a", new Listing("ten chairs", "v1"));
            assertThat(service.listingLater("a").toCompletableFuture())
                    .succeedsWithin(Duration.ofSeconds(10))
                    .isEqualTo(new Listing("ten chairs", "v1"));
            assertThat(service.whatCanBeHad(List.of("a", "broken", "none")))
                    .containsExactly(Map.entry("a", new Listing("ten chairs", "v1")));
        }
    }
}
