package dev.terrace.examples;

import dev.terrace.api.BulkLoadException;
import dev.terrace.api.BulkLoader;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loading;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.codec.JsonCodec;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Listings of a slow catalogue, and everything that a loader can say; {@code docs/loading.md} goes through it. */
public final class ListingService {
    /** A listing, with the tag under which the catalogue knows this state of it. */
    public record Listing(String text, String etag) {
        static final Listing UNKNOWN = new Listing("unknown", "");
    }

    /** The system of record. */
    public interface Catalogue {
        /** The listing; null when there is none; {@link Listing#UNKNOWN} when its tag is still {@code etag}. */
        @Nullable
        Listing fetch(String key, @Nullable String etag) throws Exception;

        /** The same without waiting. */
        CompletionStage<Listing> fetchLater(String key);
    }

    private final Cache<String, Listing> listings;
    private final Loading<String, Listing> conditional;
    private final Loading<String, Listing> patient;
    private final Loading<String, Listing> asynchronous;
    private final Catalogue catalogue;

    /** Uses the cache {@code listings} of {@code terrace}. */
    public ListingService(CacheCoordinator terrace, Catalogue catalogue) {
        this.catalogue = catalogue;
        this.listings = terrace.cache("listings", Codecs.stringKey(), JsonCodec.of(Listing.class));
        this.conditional = Loading.by(context -> {
            Listing old = context.oldValue();
            Listing now = catalogue.fetch(context.key(), old == null ? null : old.etag());
            if (now == null) {
                return Loaded.<Listing>notFound().withTtl(Duration.ofSeconds(5));
            }
            return old != null && now.equals(Listing.UNKNOWN)
                    ? Loaded.notChanged()
                    : Loaded.value(now).withTags("catalogue");
        });
        this.patient = conditional.orElse(Listing.UNKNOWN);
        this.asynchronous =
                Loading.byAsync(context -> catalogue.fetchLater(context.key()).thenApply(Loaded::value));
    }

    /** Asks the catalogue whether anything changed, when the value is over. */
    public @Nullable Listing listing(String key) {
        return listings.get(key, conditional);
    }

    /** The same, with something to show when the catalogue is away and nothing is held. */
    public @Nullable Listing listingOrUnknown(String key) {
        return listings.get(key, patient);
    }

    /** Without a thread that waits. */
    public CompletionStage<@Nullable Listing> listingLater(String key) {
        return listings.async().get(key, asynchronous);
    }

    /** What can be had of many; the catalogue fails for some now and then. */
    public Map<String, Listing> whatCanBeHad(Collection<String> keys) {
        BulkLoader<String, Listing> loader = wanted -> {
            Map<String, Listing> loaded = new HashMap<>();
            Map<String, Throwable> failed = new HashMap<>();
            for (String key : wanted) {
                try {
                    Listing listing = catalogue.fetch(key, null);
                    if (listing != null) {
                        loaded.put(key, listing);
                    }
                } catch (Exception e) {
                    failed.put(key, e);
                }
            }
            if (!failed.isEmpty()) {
                throw BulkLoadException.partial(loaded, failed);
            }
            return loaded;
        };
        try {
            return listings.getAll(keys, loader);
        } catch (BulkLoadException e) {
            Map<String, Listing> had = new HashMap<>();
            e.loaded().forEach((key, listing) -> had.put((String) key, (Listing) listing));
            return had;
        }
    }
}
