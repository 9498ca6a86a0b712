package dev.terrace.tier.redis;

import dev.terrace.spi.Replica.Standing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.redisson.client.RedisException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out where a zone stands, and lets it vote again. Thread-safe. */
final class ZoneAdmission {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneAdmission.class);

    /** Fillings whose beginnings are remembered. */
    private static final int MOST_BEGUN = 64;

    /** From this version on, servers neither persist scripts nor hand them to replicas. */
    private static final int SCRIPTS_STAY = 7;

    private final String zone;
    private final RedisKeys keys;
    private final ZoneIdentity identity;

    /** Fillings that this node has begun, by their tokens. */
    private final Map<String, Begun> begun = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Begun> eldest) {
            return size() > MOST_BEGUN;
        }
    };

    /** What the primaries were when a filling began. */
    private record Begun(String layout, List<String> runs, List<String> histories) {}

    ZoneAdmission(String zone, RedisKeys keys, ZoneIdentity identity) {
        this.zone = zone;
        this.keys = keys;
        this.identity = identity;
    }

    CompletionStage<ZoneIdentity.Reading> read(Connector.Connection connection, ZoneServers servers) {
        return identity.read(() -> servers.text(keys.zoneRecord()), connection.cluster());
    }

    CompletionStage<Standing> examine(Connector.Connection connection, ZoneServers servers) {
        ZoneServers.Primaries primaries = servers.primaries();
        return read(connection, servers).thenCompose(reading -> switch (reading) {
            case FOREIGN -> CompletableFuture.completedStage(Standing.FOREIGN);
            case NONE -> withoutRecord(servers, primaries);
            case OURS -> withRecord(servers, primaries);
        });
    }

    /** A zone that this node knew as a member, or that holds something, has lost its record. */
    private CompletionStage<Standing> withoutRecord(ZoneServers servers, ZoneServers.Primaries primaries) {
        if (identity.scripts() != null) {
            return CompletableFuture.completedStage(Standing.FORGETFUL);
        }
        return servers.holdsNothing(primaries, keys.patternOfAll())
                .thenApply(nothing -> nothing ? Standing.NEW : Standing.FORGETFUL);
    }

    private CompletionStage<Standing> withRecord(ZoneServers servers, ZoneServers.Primaries primaries) {
        FencedScripts scripts = identity.scripts();
        if (scripts == null) {
            return CompletableFuture.completedStage(Standing.FORGETFUL);
        }
        return servers.know(primaries, scripts).thenApply(known -> known ? Standing.MEMBER : Standing.FORGETFUL);
    }

    /**
     * Remembers which processes the primaries are, and leaves a mark in the zone: what restarts, is replaced or flushed from now on
     * loses one or the other, and {@link #admit} with this token fails.
     */
    CompletionStage<Boolean> begin(String token, Connector.Connection connection, ZoneServers servers) {
        ZoneServers.Primaries primaries = servers.primaries();
        return notForeign(connection, servers)
                .thenCompose(ours -> servers.write(keys.zoneFilling(token), token))
                .thenCompose(written -> servers.info(primaries))
                .thenApply(infos -> {
                    Begun now = begun(primaries, infos);
                    synchronized (begun) {
                        begun.put(token, now);
                    }
                    return true;
                });
    }

    private static Begun begun(ZoneServers.Primaries primaries, List<Map<String, String>> infos) {
        return new Begun(primaries.layout(), all(infos, "run_id"), all(infos, "master_replid"));
    }

    private CompletionStage<ZoneIdentity.Reading> notForeign(Connector.Connection connection, ZoneServers servers) {
        return read(connection, servers).thenApply(reading -> {
            if (reading == ZoneIdentity.Reading.FOREIGN) {
                throw new RedisException(identity.foreign());
            }
            return reading;
        });
    }

    /**
     * Loads the scripts of a new incarnation into every primary, then writes the record: nobody can know their digests before
     * all servers do. Whether the servers are those with which the filling began is looked at between the two: one that restarts
     * after that look has lost the scripts, or, before 7.0, has another run id than they accept.
     */
    CompletionStage<Boolean> admit(String token, Connector.Connection connection, ZoneServers servers) {
        ZoneServers.Primaries primaries = servers.primaries();
        Begun before;
        synchronized (begun) {
            before = begun.get(token);
        }
        return notForeign(connection, servers)
                .thenCompose(ours -> servers.info(primaries))
                .thenCompose(infos -> admit(token, before, connection, servers, primaries, infos));
    }

    private CompletionStage<Boolean> admit(
            String token,
            @Nullable Begun before,
            Connector.Connection connection,
            ZoneServers servers,
            ZoneServers.Primaries primaries,
            List<Map<String, String>> infos) {
        Incarnation incarnation = incarnation(token, infos);
        FencedScripts scripts = identity.scriptsOf(incarnation, connection.cluster());
        return servers.load(primaries, scripts.all())
                .thenCompose(loaded -> same(before, servers, primaries))
                .thenCompose(same -> same
                        ? record(token, before != null, incarnation, servers)
                        : CompletableFuture.completedStage(false))
                .thenApply(written -> {
                    if (written) {
                        identity.admitted(scripts);
                        LOG.info("zone admitted zone={} token={} primaries={}", zone, token, infos.size());
                    } else {
                        failed(token, "it restarted, was replaced or was flushed since it began to be filled");
                    }
                    return written;
                });
    }

    private static CompletionStage<Boolean> same(
            @Nullable Begun before, ZoneServers servers, ZoneServers.Primaries primaries) {
        return before == null
                ? CompletableFuture.completedStage(true)
                : servers.info(primaries).thenApply(infos -> before.equals(begun(primaries, infos)));
    }

    /** Writes the record; where a filling began, in one step with looking for its mark. */
    private CompletionStage<Boolean> record(
            String token, boolean marked, Incarnation incarnation, ZoneServers servers) {
        return marked
                ? servers.replace(keys.zoneFilling(token), keys.zoneRecord(), incarnation.text())
                : servers.write(keys.zoneRecord(), incarnation.text()).thenApply(written -> true);
    }

    void failed(String token, String why) {
        LOG.warn("zone not admitted zone={} token={} reason={}", zone, token, why);
    }

    private Incarnation incarnation(String token, List<Map<String, String>> infos) {
        boolean scriptsStay = true;
        for (Map<String, String> info : infos) {
            if (!"master".equals(info.get("role"))) {
                throw new RedisException("READONLY a server that should be a primary is a " + info.get("role"));
            }
            scriptsStay &= major(info.getOrDefault("redis_version", "0")) >= SCRIPTS_STAY;
        }
        return new Incarnation(
                RedisKeys.encoded(zone),
                token,
                scriptsStay ? List.of() : all(infos, "run_id"),
                all(infos, "master_replid"));
    }

    private static List<String> all(List<Map<String, String>> infos, String field) {
        return infos.stream()
                .map(info -> {
                    String id = info.get(field);
                    if (id == null) {
                        throw new RedisException("INFO does not tell " + field);
                    }
                    return id;
                })
                .toList();
    }

    private static int major(String version) {
        try {
            return Integer.parseInt(version.split("\\.", 2)[0]);
        } catch (NumberFormatException unknown) {
            return 0;
        }
    }
}
