package dev.terrace.tier.redis;

import dev.terrace.spi.Replica.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.redisson.client.RedisException;
import org.redisson.connection.MasterSlaveEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out where a zone stands, and lets it vote again. Thread-safe. */
final class ZoneAdmission {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneAdmission.class);

    /** From this version on, servers neither persist scripts nor hand them to replicas. */
    private static final int SCRIPTS_STAY = 7;

    /** Fillings that are remembered. */
    private static final int MOST_BEGUN = 16;

    /** Longer than any filling takes; then marks of nodes that are gone vanish. */
    private static final Duration KEEP_MARKS = Duration.ofDays(7);

    private final String zone;
    private final RedisKeys keys;
    private final ZoneIdentity identity;

    /** Fillings that this node has begun, by their tokens; the oldest first. */
    private final Map<String, ZoneFilling> begun = new LinkedHashMap<>();

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
     * Marks every primary, so that {@link #admit} can tell whether one of them forgot since. What the new incarnation will be
     * known by is what is seen now.
     */
    CompletionStage<Boolean> begin(String token, Connector.Connection connection, ZoneServers servers) {
        ZoneServers.Primaries primaries = servers.primaries();
        return read(connection, servers).thenCompose(reading -> {
            if (reading == ZoneIdentity.Reading.FOREIGN) {
                throw new RedisException(identity.foreign());
            }
            return servers.info(primaries).thenCompose(infos -> {
                ZoneFilling filling = filling(token, servers, primaries, infos);
                return mark(filling, servers, primaries).thenApply(marked -> {
                    remember(filling, servers);
                    return true;
                });
            });
        });
    }

    private void remember(ZoneFilling filling, ZoneServers servers) {
        ZoneFilling oldest = null;
        synchronized (begun) {
            begun.put(filling.incarnation().token(), filling);
            if (begun.size() > MOST_BEGUN) {
                Iterator<ZoneFilling> all = begun.values().iterator();
                oldest = all.next();
                all.remove();
            }
        }
        if (oldest != null) {
            forgetMarks(oldest, servers);
        }
    }

    /** Nobody waits for that: what stays vanishes in time. */
    private static void forgetMarks(ZoneFilling filling, ZoneServers servers) {
        filling.marks().forEach(mark -> servers.delete(mark.key()));
    }

    private ZoneFilling filling(
            String token, ZoneServers servers, ZoneServers.Primaries primaries, List<Map<String, String>> infos) {
        Incarnation incarnation = incarnation(token, infos);
        List<String> keysOfMarks =
                servers.keyOnEach(primaries, keys.fillingMark(token), number -> keys.fillingMark(token, number));
        List<ZoneFilling.Mark> marks = new ArrayList<>();
        for (int i = 0; i < infos.size(); i++) {
            String run = all(infos.subList(i, i + 1), "run_id").get(0);
            String history = all(infos.subList(i, i + 1), "master_replid").get(0);
            marks.add(
                    new ZoneFilling.Mark(FencedScripts.filling(incarnation.zone(), run, history), keysOfMarks.get(i)));
        }
        return new ZoneFilling(incarnation, primaries.layout(), marks);
    }

    private static CompletionStage<Void> mark(
            ZoneFilling filling, ZoneServers servers, ZoneServers.Primaries primaries) {
        List<CompletableFuture<?>> marking = new ArrayList<>();
        for (int i = 0; i < primaries.servers().size(); i++) {
            MasterSlaveEntry server = primaries.servers().get(i);
            ZoneFilling.Mark mark = filling.marks().get(i);
            marking.add(servers.load(server, mark.script()).toCompletableFuture());
            marking.add(servers.write(server, mark.key(), filling.incarnation().token(), KEEP_MARKS)
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(marking.toArray(CompletableFuture[]::new));
    }

    /**
     * Loads the scripts of a new incarnation into every primary, asks every one whether it is still what it was when the filling
     * began, and writes the record: nobody can know the scripts' digests before all servers do. The server that gets the record
     * is asked in the step that writes it. One of the others may forget between its answer and the record; then it knows the
     * scripts no more, or does not pass their fence.
     */
    CompletionStage<Boolean> admit(String token, Connector.Connection connection, ZoneServers servers) {
        ZoneFilling filling;
        synchronized (begun) {
            filling = begun.get(token);
        }
        if (filling == null) {
            throw new RedisException("no filling was begun with this token, or it is over");
        }
        ZoneServers.Primaries primaries = servers.primaries();
        if (!primaries.layout().equals(filling.layout())) {
            throw new RedisException("the zone's servers changed since its filling began");
        }
        return read(connection, servers)
                .thenCompose(reading -> {
                    if (reading == ZoneIdentity.Reading.FOREIGN) {
                        throw new RedisException(identity.foreign());
                    }
                    return admit(filling, connection, servers, primaries);
                })
                .whenComplete((admitted, failure) -> {
                    if (failure != null && ZoneFailures.isFence(failure)) {
                        // It stays so, though a later filling may load the same script again.
                        synchronized (begun) {
                            begun.remove(token);
                        }
                    }
                });
    }

    private CompletionStage<Boolean> admit(
            ZoneFilling filling,
            Connector.Connection connection,
            ZoneServers servers,
            ZoneServers.Primaries primaries) {
        Incarnation incarnation = filling.incarnation();
        FencedScripts scripts = identity.scriptsOf(incarnation, connection.cluster());
        return servers.load(primaries, scripts.all())
                .thenCompose(loaded -> areUnchanged(filling, servers, primaries))
                .thenCompose(unchanged -> writeRecord(filling, servers, primaries))
                .thenApply(written -> {
                    identity.admitted(scripts);
                    synchronized (begun) {
                        begun.remove(incarnation.token());
                    }
                    forgetMarks(filling, servers);
                    LOG.info(
                            "zone admitted zone={} token={} primaries={}",
                            zone,
                            incarnation.token(),
                            primaries.servers().size());
                    return true;
                });
    }

    /** Fails when one of them is not what it was. */
    private static CompletionStage<Void> areUnchanged(
            ZoneFilling filling, ZoneServers servers, ZoneServers.Primaries primaries) {
        List<CompletableFuture<?>> asked = new ArrayList<>();
        for (int i = 0; i < primaries.servers().size(); i++) {
            ZoneFilling.Mark mark = filling.marks().get(i);
            asked.add(servers.run(
                            primaries.servers().get(i),
                            mark.script(),
                            List.of(mark.key()),
                            filling.incarnation().token())
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new));
    }

    private CompletionStage<String> writeRecord(
            ZoneFilling filling, ZoneServers servers, ZoneServers.Primaries primaries) {
        // The mark beside the record shares its slot: a script may touch both.
        for (int i = 0; i < primaries.servers().size(); i++) {
            ZoneFilling.Mark mark = filling.marks().get(i);
            if (mark.key().equals(keys.fillingMark(filling.incarnation().token()))) {
                return servers.run(
                        primaries.servers().get(i),
                        mark.script(),
                        List.of(mark.key(), keys.zoneRecord()),
                        filling.incarnation().token(),
                        filling.incarnation().text());
            }
        }
        return CompletableFuture.failedStage(new RedisException("the zone's servers changed since its filling began"));
    }

    void failed(String step, String token, String why) {
        LOG.warn("zone not {} zone={} token={} reason={}", step, zone, token, why);
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
