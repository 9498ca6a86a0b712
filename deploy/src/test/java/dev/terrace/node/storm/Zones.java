package dev.terrace.node.storm;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.testkit.history.Held;
import dev.terrace.testkit.nemesis.Fault;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Redis servers, and between every node and every server a link of its own that can fail alone. Not thread-safe but for the
 * links.
 */
final class Zones implements Servers {
    private final List<RedisProcess> servers = new ArrayList<>();
    private final List<List<TcpProxy>> links = new ArrayList<>();

    Zones(Path binary, int zones, int nodes) {
        for (int zone = 0; zone < zones; zone++) {
            servers.add(RedisProcess.start(
                    binary, RedisProcess.freePort(), "--appendonly", "yes", "--appendfsync", "everysec"));
            List<TcpProxy> ofZone = new ArrayList<>();
            for (int node = 0; node < nodes; node++) {
                ofZone.add(TcpProxy.to(servers.get(zone).port()));
            }
            links.add(ofZone);
        }
    }

    static String name(int zone) {
        return "zone-" + (zone + 1);
    }

    @Override
    public String description() {
        return servers.size() + " x " + servers.get(0).version();
    }

    /** The address at which {@code node} reaches {@code zone}. */
    String address(int zone, int node) {
        return "127.0.0.1:" + links.get(zone).get(node).port();
    }

    int count() {
        return servers.size();
    }

    RedisProcess server(int zone) {
        return servers.get(zone);
    }

    /** How {@code node} reaches {@code zone}. */
    TcpProxy link(int zone, int node) {
        return links.get(zone).get(node);
    }

    /** What can befall servers and links without anything being forgotten. */
    @Override
    public List<Fault> faults() {
        List<Fault> faults = new ArrayList<>();
        for (int z = 0; z < servers.size(); z++) {
            RedisProcess server = servers.get(z);
            String name = name(z);
            faults.add(Fault.of("kill", name, millis(200), millis(2_500), server::kill, server::restart));
            faults.add(Fault.of("freeze", name, millis(200), millis(3_500), server::freeze, server::thaw));
            faults.add(Fault.of(
                    "pause-clients",
                    name,
                    millis(300),
                    millis(2_000),
                    () -> server.pauseClients(millis(1_500)),
                    () -> {}));
            for (int n = 0; n < links.get(z).size(); n++) {
                TcpProxy link = links.get(z).get(n);
                String way = "link-" + (n + 1) + "-" + name;
                faults.add(Fault.momentary("reset", way, link::reset));
                faults.add(mode("lose-all", way, link, TcpProxy.Mode.LOSE_ALL));
                faults.add(mode("lose-answers", way, link, TcpProxy.Mode.LOSE_ANSWERS));
                faults.add(mode("lose-requests", way, link, TcpProxy.Mode.LOSE_REQUESTS));
                faults.add(Fault.of(
                        "slow",
                        way,
                        millis(500),
                        millis(4_000),
                        () -> {
                            link.requests().delay(millis(5)).jitter(millis(40));
                            link.answers().delay(millis(5)).jitter(millis(40));
                        },
                        link::heal));
                faults.add(Fault.of(
                        "refuse",
                        way,
                        millis(300),
                        millis(3_000),
                        () -> {
                            link.refuse(true);
                            link.reset();
                        },
                        link::heal));
            }
        }
        return faults;
    }

    private static Fault mode(String name, String way, TcpProxy link, TcpProxy.Mode mode) {
        return Fault.of(name, way, millis(300), millis(3_500), () -> link.mode(mode), link::heal);
    }

    /** What makes a zone forget; one at a time, with {@code rest} for it to learn again. */
    List<Fault> amnesias(Duration rest) {
        List<Fault> faults = new ArrayList<>();
        for (int z = 0; z < servers.size(); z++) {
            RedisProcess server = servers.get(z);
            String name = name(z);
            faults.add(
                    Fault.momentary("restart-empty", name, server::restartEmpty).in("amnesia", rest));
            faults.add(Fault.momentary("roll-back", name, () -> server.restartRolledBack(20_000))
                    .in("amnesia", rest));
            faults.add(Fault.momentary("flush-all", name, () -> server.command("FLUSHALL"))
                    .in("amnesia", rest));
        }
        return faults;
    }

    /** What can befall the logs of notices while the servers are well. */
    List<Fault> logFaults() {
        String stream = "{" + KEY_PREFIX + "~log}";
        List<Fault> faults = new ArrayList<>();
        for (int z = 0; z < servers.size(); z++) {
            RedisProcess server = servers.get(z);
            String name = "log-" + name(z);
            faults.add(Fault.momentary("trim", name, () -> server.command("XTRIM", stream, "MAXLEN", "0")));
            faults.add(Fault.momentary("delete", name, () -> server.command("DEL", stream)));
            faults.add(Fault.momentary("delete-all-of", name, () -> server.command("DEL", stream, stream + "~head")));
        }
        return faults;
    }

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    /** What {@code zone} itself holds, without asking a node. */
    Held held(int zone, String cache, String key) {
        String answer = servers.get(zone).command("GET", KEY_PREFIX + ":" + cache + ":" + key);
        if (!answer.startsWith("$") || answer.startsWith("$-1")) {
            return Held.NOTHING;
        }
        int begin = answer.indexOf("\r\n") + 2;
        byte[] bytes = answer.substring(begin, answer.length() - 2).getBytes(StandardCharsets.ISO_8859_1);
        if (Envelope.decode(bytes, CacheKey.of(cache, key)) instanceof Envelope.Sound sound) {
            Entry entry = sound.entry();
            String value = entry.kind() == EntryKind.VALUE ? new String(entry.payload(), StandardCharsets.UTF_8) : null;
            return new Held(value, entry.version());
        }
        throw new IllegalStateException(name(zone) + " holds what is no envelope under " + key);
    }

    @Override
    public void close() {
        links.forEach(ofZone -> ofZone.forEach(TcpProxy::close));
        servers.forEach(RedisProcess::close);
    }
}
