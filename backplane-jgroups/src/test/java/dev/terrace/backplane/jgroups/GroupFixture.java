package dev.terrace.backplane.jgroups;

import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeardNotices;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jgroups.protocols.DISCARD;
import org.jgroups.protocols.TP;
import org.jgroups.stack.ProtocolStack;

/** Groups on loopback, whose nodes are closed with it. */
final class GroupFixture implements AutoCloseable {
    static final Duration SOON = Duration.ofSeconds(30);

    private final List<Node> nodes = new ArrayList<>();
    private long beats;

    /** One that takes part. */
    record Node(long id, GroupBackplane group, HeardNotices heard, MetricRegistry metrics) {
        long publish(long number) {
            try {
                return group.publish(List.of(change(id, number)))
                        .toCompletableFuture()
                        .get(5, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError("a stage must complete, in time and normally", e);
            }
        }

        void mustPublish(long number) {
            await().atMost(SOON).until(() -> publish(number) != Backplane.NOT_KNOWN);
        }

        void awaitHeard(long number) {
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> heard.changes().contains(number));
        }

        /** Loses everything that comes and goes, from now on. */
        DISCARD cut() {
            return GroupFixture.cut(group);
        }
    }

    /** Lets {@code group} lose everything that comes and goes, from now on. */
    static DISCARD cut(GroupBackplane group) {
        DISCARD discard = new DISCARD();
        discard.discardAll(true);
        discard.excludeItself(false);
        try {
            Objects.requireNonNull(group.channel())
                    .getProtocolStack()
                    .insertProtocol(discard, ProtocolStack.Position.ABOVE, TP.class);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return discard;
    }

    static Notice change(long node, long number) {
        return new Notice.Changed(node, CacheKey.of("group", "k" + number), new Version(number, node), false);
    }

    static List<HostAndPort> members(int count) {
        List<HostAndPort> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(new HostAndPort("127.0.0.1", RedisProcess.freePort()));
        }
        return members;
    }

    static GroupPlan plan(String name, String bind, int port, List<HostAndPort> members, String dns, String secret) {
        return new GroupPlan(
                name,
                bind,
                port,
                members,
                dns,
                secret == null ? null : new Secret(secret),
                Duration.ofMillis(800),
                Duration.ofMillis(2_000));
    }

    /** Joins, without waiting for others. */
    Node join(GroupPlan plan) {
        MetricRegistry metrics = new MetricRegistry();
        GroupBackplane group = new GroupBackplane(plan, InstantSource.system(), metrics);
        Node node = new Node(nodes.size() + 1L, group, new HeardNotices(), metrics);
        nodes.add(node);
        group.start(node.id(), node.heard());
        return node;
    }

    void awaitMembers(int count, Node... which) {
        await().atMost(Duration.ofSeconds(60))
                .until(() ->
                        List.of(which).stream().allMatch(node -> node.group().members() == count));
    }

    /** Waits until the node hears a beat that it sends now. */
    void awaitEcho(Node node) {
        await().atMost(SOON).until(() -> {
            Notice beat = new Notice.Beat(node.id(), ++beats, 0, 0, false);
            node.group().publish(List.of(beat));
            return node.heard().hears(beat, Duration.ofMillis(500));
        });
    }

    @Override
    public void close() {
        nodes.forEach(node -> node.group().close());
    }
}
