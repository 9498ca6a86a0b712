package dev.terrace.node.http;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loading;
import dev.terrace.api.ReadResult;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.OriginResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The cache named {@code origin}: reads go through to an HTTP origin, the key is its path. */
final class OriginEndpoints {
    static final String CACHE = "origin";

    private final Cache<byte[], OriginResponse> cache;
    private final Loading<byte[], OriginResponse> origin;

    OriginEndpoints(CacheCoordinator coordinator, HttpOrigin origin) {
        this.cache = coordinator.cache(CACHE, Codecs.bytesKey(), OriginResponse.CODEC);
        this.origin = Loading.by(origin);
    }

    void addTo(Router router) {
        router.on("GET", "/origin/**", exchange -> {
            String rest = exchange.rawPathAndQuery().substring("/origin".length());
            answer(exchange, rest.replaceFirst("^/", "").getBytes(StandardCharsets.UTF_8));
        });
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
