package dev.terrace.examples;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loader;
import dev.terrace.api.ReadResult;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.codec.JsonCodec;
import org.jspecify.annotations.Nullable;

/** Stock quotes, close at hand: what a service needs of Terrace. */
public final class QuoteService {
    /** A quote, kept as JSON. */
    public record Quote(String symbol, double price) {}

    private final Cache<String, Quote> quotes;
    private final Loader<String, Quote> market;

    /** Opens nothing itself: the coordinator is opened once per process, {@code CacheCoordinator.open(path)}. */
    public QuoteService(CacheCoordinator terrace, Loader<String, Quote> market) {
        this.quotes = terrace.cache("quotes", Codecs.stringKey(), JsonCodec.of(Quote.class));
        this.market = market;
    }

    /** The quote; asks the market once, however many callers miss at the same time. */
    public @Nullable Quote quote(String symbol) {
        return quotes.get(symbol, market);
    }

    /** The market has moved; a load already under way cannot undo this. */
    public void moved(String symbol) {
        quotes.invalidate(symbol);
    }

    /** The quote with its tier, age and freshness, without asking the market. */
    public ReadResult<Quote> known(String symbol) {
        return quotes.read(symbol);
    }
}
