package dev.terrace.tier.redis;

import com.codahale.metrics.Counter;
import dev.terrace.api.BadInputException;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.Version;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Walks through what a zone holds, server by server, page by page. A cursor names the layout of the cluster and the process that
 * gave it: SCAN's own cursors mean nothing to another process, and keys that changed servers meanwhile could be passed over.
 * Thread-safe.
 */
final class ZoneWalk {
    /** Where keys of more than this many pages are looked at in one call, the server would be busy for too long. */
    private static final int MOST_AT_ONCE = 10_000;

    private static final String BEGIN_AGAIN = "; what was walked so far may have gaps: begin again";

    private final RedisKeys keys;
    private final Counter foreign;

    ZoneWalk(RedisKeys keys, Counter foreign) {
        this.keys = keys;
        this.foreign = foreign;
    }

    /** Where a walk stands: which server, which process it was, and its SCAN cursor. */
    private record Place(String layout, int server, String run, String scan) {
        static @Nullable Place parse(String cursor) {
            String[] parts = cursor.split(":", -1);
            if (parts.length != 4 || !parts[1].matches("\\d{1,5}") || !parts[3].matches("\\d{1,20}")) {
                return null;
            }
            return new Place(parts[0], Integer.parseInt(parts[1]), parts[2], parts[3]);
        }

        String cursor() {
            return layout + ":" + server + ":" + run + ":" + scan;
        }
    }

    CompletionStage<ReplicaPage> page(ZoneServers servers, @Nullable String cursor, int limit) {
        ZoneServers.Primaries primaries = servers.primaries();
        Place place = cursor == null ? new Place(primaries.layout(), 0, "", "0") : Place.parse(cursor);
        if (place == null) {
            return failed("'" + cursor + "' is no cursor of a zone");
        }
        if (!place.layout().equals(primaries.layout())
                || place.server() >= primaries.servers().size()) {
            return failed("the zone's servers changed" + BEGIN_AGAIN);
        }
        return servers.page(
                        primaries.servers().get(place.server()),
                        place.scan(),
                        keys.patternOfAll(),
                        Math.max(1, Math.min(limit, MOST_AT_ONCE)))
                .thenApply(answer -> page(place, primaries.servers().size(), answer));
    }

    private ReplicaPage page(Place place, int servers, List<byte[]> answer) {
        String scan = ascii(answer.get(0));
        String run = ascii(answer.get(1));
        if (!place.run().isEmpty() && !place.run().equals(run)) {
            return new ReplicaPage(List.of(), null, "a server of the zone restarted" + BEGIN_AGAIN);
        }
        List<ReplicaPage.Item> items = new ArrayList<>(answer.size() / 2);
        List<ReplicaPage.Item> promises = new ArrayList<>();
        for (int i = 2; i + 1 < answer.size(); i += 2) {
            CacheKey promised = keys.ofPromise(ascii(answer.get(i)));
            if (promised != null) {
                promises.add(new ReplicaPage.Item(promised, version(ByteBuffer.wrap(answer.get(i + 1)), 0)));
                continue;
            }
            ReplicaPage.Item item = item(answer.get(i), answer.get(i + 1));
            if (item == null) {
                foreign.inc();
            } else {
                items.add(item);
            }
        }
        Place next = scan.equals("0")
                ? new Place(place.layout(), place.server() + 1, "", "0")
                : new Place(place.layout(), place.server(), run, scan);
        return new ReplicaPage(items, promises, next.server() == servers ? null : next.cursor(), null);
    }

    /** Null when the key is not where its entry would be stored. */
    private ReplicaPage.@Nullable Item item(byte[] redisKey, byte[] head) {
        if (head.length < Envelope.HEADER_BYTES || head[0] != Envelope.FORMAT) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.wrap(head);
        Version version = version(bytes, 2);
        int nameLength = bytes.getShort(42) & 0xFFFF;
        int keyLength = bytes.getShort(44) & 0xFFFF;
        if (head.length != Envelope.HEADER_BYTES + nameLength + keyLength) {
            return null;
        }
        String cache = new String(head, Envelope.HEADER_BYTES, nameLength, StandardCharsets.UTF_8);
        byte[] key = new byte[keyLength];
        bytes.position(Envelope.HEADER_BYTES + nameLength).get(key);
        try {
            CacheKey found = CacheKey.of(cache, key);
            return keys.of(found).equals(ascii(redisKey)) ? new ReplicaPage.Item(found, version) : null;
        } catch (BadInputException noKeyOfOurs) {
            return null;
        }
    }

    private static Version version(ByteBuffer bytes, int at) {
        return new Version(bytes.getLong(at), bytes.getLong(at + 8));
    }

    private static String ascii(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static CompletionStage<ReplicaPage> failed(String why) {
        return CompletableFuture.completedStage(new ReplicaPage(List.of(), null, why));
    }
}
