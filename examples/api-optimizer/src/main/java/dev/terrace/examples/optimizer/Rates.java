package dev.terrace.examples.optimizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.codec.JsonCodec;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** All that an application has to write: how to ask the API, and a cache before it. Thread-safe. */
final class Rates {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final URI api;
    private final Cache<String, Rate> rates;
    private final Cache<String, String> watchlists;

    /** What the API tells. */
    record Rate(String pair, double price) {}

    Rates(CacheCoordinator terrace, URI api) {
        this.api = api;
        this.rates = terrace.cache("rates", Codecs.stringKey(), JsonCodec.of(Rate.class));
        this.watchlists = terrace.cache("watchlists", Codecs.stringKey(), Codecs.string());
    }

    /** The rate, from the nearest tier that has it, else from the API; a stale one when the API fails or takes long. */
    ReadResult<Rate> rate(String pair) {
        return rates.read(pair, this::fetch);
    }

    private Rate fetch(String pair) throws IOException, InterruptedException {
        HttpResponse<byte[]> answer = client.send(
                HttpRequest.newBuilder(api.resolve(URLEncoder.encode(pair, StandardCharsets.UTF_8)))
                        .timeout(PATIENCE)
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IOException("the API answered " + answer.statusCode());
        }
        return JSON.readValue(answer.body(), Rate.class);
    }

    /** Keeps what a user wants to watch. */
    void watch(String user, String pairs) {
        watchlists.put(user, pairs);
    }
}
