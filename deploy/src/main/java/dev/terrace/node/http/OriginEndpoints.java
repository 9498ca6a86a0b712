package dev.terrace.node.http;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loading;
import dev.terrace.api.ReadResult;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.HttpOriginWriter;
import dev.terrace.node.origin.OriginResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The cache named {@code origin}: reads go through to an HTTP origin, the key is its path. */
final class OriginEndpoints {
    static final String CACHE = "origin";

    private final Cache<byte[], OriginResponse> cache;
    private final Loading<byte[], OriginResponse> origin;

    private final boolean writes;

    /**
     * @param writer writes to the origin; null when it is only read
     */
    OriginEndpoints(CacheCoordinator coordinator, HttpOrigin origin, @Nullable HttpOriginWriter writer) {
        this.cache = writer == null
                ? coordinator.cache(CACHE, Codecs.bytesKey(), OriginResponse.CODEC)
                : coordinator.cache(CACHE, Codecs.bytesKey(), OriginResponse.CODEC, writer);
        this.writes = writer != null;
        this.origin = Loading.by(origin);
    }

    void addTo(Router router) {
        router.on("GET", "/origin/**", exchange -> {
            String rest = exchange.rawPathAndQuery().substring("/origin".length());
            answer(exchange, rest.replaceFirst("^/", "").getBytes(StandardCharsets.UTF_8));
        });
        if (writes) {
            router.on("PUT", "/origin/**", this::put).on("DELETE", "/origin/**", this::delete);
        }
    }

    private static byte[] key(Exchange exchange) {
        String path = exchange.rawPathAndQuery().substring("/origin".length()).replaceFirst("^/", "");
        return path.isEmpty() ? new byte[] {'?'} : path.getBytes(StandardCharsets.UTF_8);
    }

    private void put(Exchange exchange) throws IOException {
        String type = exchange.header("Content-Type");
        OriginResponse value =
                new OriginResponse(type == null ? "application/octet-stream" : type, exchange.body(), "");
        exchange.json(200, ReceiptJson.tree(cache.put(key(exchange), value)));
    }

    private void delete(Exchange exchange) throws IOException {
        exchange.json(200, ReceiptJson.tree(cache.remove(key(exchange))));
    }

    void answer(Exchange exchange, byte[] path) throws IOException {
        // The origin's root has an empty path, which is no key.
        byte[] key = path.length == 0 ? new byte[] {'?'} : path;
        ReadResult<OriginResponse> result = cache.read(key, origin);
        OriginResponse response = result.value();
        if (response == null) {
            throw new HttpProblem(404, "Not found", "the origin has nothing at this path");
        }
        EntryEndpoints.describe(exchange, result).bytes(200, response.contentType(), response.body());
    }
}
