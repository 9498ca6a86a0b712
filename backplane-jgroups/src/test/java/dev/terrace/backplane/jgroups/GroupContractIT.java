package dev.terrace.backplane.jgroups;

import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.spi.Backplane;
import dev.terrace.testkit.BackplaneContract;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jgroups.protocols.DISCARD;
import org.junit.jupiter.api.BeforeEach;

/** The group, up to three channels in one JVM on loopback. */
class GroupContractIT extends BackplaneContract {
    private final List<HostAndPort> members = new ArrayList<>();
    private final List<GroupBackplane> opened = new ArrayList<>();
    private final Map<Backplane, DISCARD> cuts = new HashMap<>();

    @BeforeEach
    void choosePorts() {
        while (members.size() < 4) {
            members.add(new HostAndPort("127.0.0.1", RedisProcess.freePort()));
        }
    }

    Secret secret() {
        return null;
    }

    private GroupBackplane open(Secret secret) {
        GroupBackplane group = create(secret, opened.size());
        opened.add(group);
        return group;
    }

    private GroupBackplane create(Secret secret, int port) {
        return new GroupBackplane(
                new GroupPlan(
                        "contract",
                        "127.0.0.1",
                        members.get(port).port(),
                        members,
                        null,
                        secret,
                        Duration.ofMillis(800),
                        Duration.ofMillis(2_000)),
                InstantSource.system(),
                new MetricRegistry());
    }

    @Override
    protected Backplane openBackplane() {
        GroupBackplane group = open(secret());
        return new Backplane() {
            @Override
            public String name() {
                return group.name();
            }

            @Override
            public void start(long node, dev.terrace.spi.BackplaneListener listener) {
                group.start(node, listener);
                // A node is a group of its own until it has found the others.
                await().atMost(SOON).until(() -> opened.stream().allMatch(one -> one.members() == opened.size()));
            }

            @Override
            public java.util.concurrent.CompletionStage<Long> publish(List<dev.terrace.spi.Notice> notices) {
                return group.publish(notices);
            }

            @Override
            public void close() {
                group.close();
                opened.remove(group);
            }

            @Override
            public int hashCode() {
                return System.identityHashCode(group);
            }

            @Override
            public boolean equals(Object other) {
                return this == other;
            }
        };
    }

    @Override
    protected void cut(Backplane backplane) {
        GroupBackplane group = opened.get(opened.size() == 3 ? 1 : opened.size() - 1);
        cuts.put(backplane, GroupFixture.cut(group));
    }

    @Override
    protected void mend(Backplane backplane) {
        cuts.get(backplane).discardAll(false);
    }
}
