package dev.terrace.backplane.jgroups;

import static dev.terrace.backplane.jgroups.GroupFixture.SOON;
import static dev.terrace.backplane.jgroups.GroupFixture.members;
import static dev.terrace.backplane.jgroups.GroupFixture.plan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.backplane.jgroups.GroupFixture.Node;
import dev.terrace.config.HostAndPort;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.jgroups.BytesMessage;
import org.jgroups.protocols.DISCARD;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How nodes of a group find each other, who may join, and what happens when some cannot. */
class GroupFaultsIT {
    private static final String SECRET = "correct horse battery staple";

    private final GroupFixture group = new GroupFixture();

    @AfterEach
    void close() {
        group.close();
    }

    @Test
    @Tag("F31")
    void aCoordinatorThatIsCutOffIsReplacedAndEveryoneIsToldOfTheGap() {
        List<HostAndPort> members = members(3);
        Node a = group.join(plan("t", "127.0.0.1", members.get(0).port(), members, null, null));
        group.awaitMembers(1, a);
        Node b = group.join(plan("t", "127.0.0.1", members.get(1).port(), members, null, null));
        Node c = group.join(plan("t", "127.0.0.1", members.get(2).port(), members, null, null));
        group.awaitMembers(3, a, b, c);
        group.awaitEcho(b);
        group.awaitEcho(c);
        a.mustPublish(1);
        c.awaitHeard(1);
        long gaps = a.heard().gaps() + b.heard().gaps() + c.heard().gaps();
        DISCARD cut = a.cut();
        await().atMost(SOON).until(() -> b.heard().gaps() > 0 && c.heard().gaps() > 0);
        b.mustPublish(2);
        c.awaitHeard(2);
        assertThat(a.heard().changes()).doesNotContain(2L);
        cut.discardAll(false);
        group.awaitMembers(3, a, b, c);
        await().atMost(SOON).until(() -> {
            b.publish(3);
            return a.heard().changes().contains(3L) && c.heard().changes().contains(3L);
        });
        assertThat(a.heard().gaps() + b.heard().gaps() + c.heard().gaps()).isGreaterThan(gaps + 1);
        group.awaitEcho(a);
        group.awaitEcho(b);
        group.awaitEcho(c);
    }

    /** Many addresses under names, one port: what a headless service of Kubernetes or a compose service answers. */
    @Test
    void nodesFindEachOtherByDnsOnOnePort() {
        int port = members(1).get(0).port();
        String names = "localhost,127.0.0.2,127.0.0.3,nowhere.invalid";
        Node a = group.join(plan("t", "127.0.0.1", port, List.of(), names, SECRET));
        Node b = group.join(plan("t", "127.0.0.2", port, List.of(), names, SECRET));
        Node c = group.join(plan("t", "127.0.0.3", port, List.of(), names, SECRET));
        group.awaitMembers(3, a, b, c);
        group.awaitEcho(a);
        a.mustPublish(1);
        b.awaitHeard(1);
        c.awaitHeard(1);
        assertThat(a.group().trouble()).isEmpty();
    }

    @Test
    void aNameWithoutAddressesLeavesANodeAloneAndItSaysSo() {
        int port = members(1).get(0).port();
        Node byName = group.join(plan("t", "127.0.0.1", port, List.of(), "nowhere.invalid", null));
        List<HostAndPort> unknown = List.of(new HostAndPort("nowhere.invalid", 7800));
        Node byMembers = group.join(plan("t", "127.0.0.1", members(1).get(0).port(), unknown, null, null));
        group.awaitMembers(1, byName, byMembers);
        await().atMost(SOON).until(() -> byName.group().trouble().equals("no other node is reached"));
        group.awaitEcho(byName);
        group.awaitEcho(byMembers);
    }

    @Test
    void aPortThatIsTakenIsNamedAndJoinedWhenItIsFree() throws Exception {
        Node late;
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            int port = other.getLocalPort();
            late = group.join(plan("t", "127.0.0.1", port, List.of(new HostAndPort("127.0.0.1", port)), null, null));
            await().atMost(SOON).until(() -> late.group().trouble().startsWith("cannot join: BindException"));
            assertThat(late.publish(1)).isEqualTo(dev.terrace.spi.Backplane.NOT_KNOWN);
        }
        group.awaitEcho(late);
    }

    /** Clusters that name each other's hosts by mistake, and begin all at once: what must merge is not led astray by strangers. */
    @Test
    void clustersOfOtherNamesOrSecretsStayApart() {
        List<HostAndPort> members = members(5);
        Node one = group.join(plan("terrace-a", "127.0.0.1", members.get(0).port(), members, null, SECRET));
        Node guessing = group.join(
                plan("terrace-a", "127.0.0.1", members.get(1).port(), members, null, "another secret of some length"));
        Node two = group.join(plan("terrace-a", "127.0.0.1", members.get(2).port(), members, null, SECRET));
        Node named = group.join(plan("terrace-b", "127.0.0.1", members.get(3).port(), members, null, SECRET));
        Node open = group.join(plan("terrace-a", "127.0.0.1", members.get(4).port(), members, null, null));
        group.awaitMembers(2, one, two);
        group.awaitMembers(1, named, guessing, open);
        group.awaitEcho(one);
        one.mustPublish(1);
        two.awaitHeard(1);
        named.mustPublish(2);
        guessing.mustPublish(3);
        open.mustPublish(5);
        one.mustPublish(4);
        two.awaitHeard(4);
        await().during(Duration.ofMillis(300))
                .atMost(SOON)
                .until(() -> one.group().members() == 2
                        && guessing.group().members() == 1
                        && open.group().members() == 1);
        assertThat(two.heard().changes()).contains(1L, 4L).doesNotContain(2L, 3L, 5L);
        assertThat(named.heard().changes()).isEmpty();
        assertThat(guessing.heard().changes()).isEmpty();
        assertThat(open.heard().changes()).isEmpty();
    }

    /** What a member sends that does not prove to know the secret, as bytes changed on the way would not. */
    @Test
    void aForgedFrameIsRefusedAndCounted() throws Exception {
        List<HostAndPort> members = members(2);
        Node a = group.join(plan("t", "127.0.0.1", members.get(0).port(), members, null, SECRET));
        group.awaitMembers(1, a);
        Node b = group.join(plan("t", "127.0.0.1", members.get(1).port(), members, null, SECRET));
        group.awaitMembers(2, a, b);
        group.awaitEcho(a);
        a.mustPublish(1);
        b.awaitHeard(1);
        long gaps = b.heard().gaps();
        GroupFrame.Order forged = new GroupFrame.Order(1, 1L << 60, List.of());
        a.group().channel().send(new BytesMessage(null, forged.bytes()));
        await().atMost(SOON)
                .until(() -> b.metrics().counter("backplane.group.forged").getCount() == 1);
        a.mustPublish(2);
        b.awaitHeard(2);
        assertThat(b.heard().gaps()).isEqualTo(gaps);
    }
}
