package dev.terrace.tier.redis;

import dev.terrace.spi.Replica.Standing;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.redisson.client.RedisException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out where a zone stands, and lets it vote again. Thread-safe. */
final class ZoneAdmission {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneAdmission.class);

    /** From this version on, servers neither persist scripts nor hand them to replicas. */
    private static final int SCRIPTS_STAY = 7;

    private final String zone;
    private final RedisKeys keys;
    private final ZoneIdentity identity;

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
     * Loads the scripts of a new incarnation into every primary, then writes the record: nobody can know their digests before
     * all servers do.
     */
    CompletionStage<Boolean> admit(String token, Connector.Connection connection, ZoneServers servers) {
        ZoneServers.Primaries primaries = servers.primaries();
        return read(connection, servers).thenCompose(reading -> {
            if (reading == ZoneIdentity.Reading.FOREIGN) {
                throw new RedisException(identity.foreign());
            }
            return servers.info(primaries).thenCompose(infos -> admit(token, connection, servers, primaries, infos));
        });
    }

    private CompletionStage<Boolean> admit(
            String token,
            Connector.Connection connection,
            ZoneServers servers,
            ZoneServers.Primaries primaries,
            List<Map<String, String>> infos) {
        Incarnation incarnation = incarnation(token, infos);
        FencedScripts scripts = identity.scriptsOf(incarnation, connection.cluster());
        return servers.load(primaries, scripts.all())
                .thenCompose(loaded -> servers.write(keys.zoneRecord(), incarnation.text()))
                .thenApply(written -> {
                    identity.admitted(scripts);
                    LOG.info("zone admitted zone={} token={} primaries={}", zone, token, infos.size());
                    return true;
                });
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
