package dev.terrace.backplane.jgroups;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.BackplaneSettings.GroupSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.testkit.TestContext;
import java.time.InstantSource;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class GroupProviderTest {
    private static BackplaneSettings settings(String host, String secret) {
        return settings(host, 7800, List.of(new HostAndPort("127.0.0.1", 7800)), null, secret);
    }

    private static BackplaneSettings settings(
            String host, int port, List<HostAndPort> members, String dns, String secret) {
        BackplaneSettings d = BackplaneSettings.defaults();
        return new BackplaneSettings(
                true,
                d.maxLength(),
                null,
                d.lease(),
                false,
                new GroupSettings(true, host, port, members, dns, secret == null ? null : new Secret(secret)));
    }

    private static Backplane open(BackplaneSettings settings) {
        BackplaneProvider provider = ServiceLoader.load(BackplaneProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(found -> found.name().equals("jgroups"))
                .findFirst()
                .orElseThrow();
        return provider.open("", new TestContext(InstantSource.system(), settings));
    }

    @Test
    void listeningWhereOthersReachDemandsASecret() {
        assertThatThrownBy(() -> open(settings("0.0.0.0", null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("without a secret");
        assertThatThrownBy(() -> open(settings("0.0.0.0", "short")))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("shorter");
        try (Backplane group = open(settings("127.0.0.1", null))) {
            assertThat(group.name()).isEqualTo("group");
        }
    }

    @Test
    void settingsWithWhichNobodyCouldBeFoundAreRefused() {
        assertThatThrownBy(() -> open(settings("127.0.0.1", 7800, List.of(), null, null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("no members and no DNS name");
        assertThatThrownBy(() -> open(settings("127.0.0.1", 0, List.of(), "cache.example", null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("on which port");
        assertThatThrownBy(() -> open(settings("nowhere.invalid", null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("no address nowhere.invalid");
    }

    @Test
    void framesAreReadAsTheyWereWrittenAndRubbishIsNone() {
        GroupFrame.Offer offer = new GroupFrame.Offer(1, 2, 9, 3, new byte[] {4, 5});
        byte[] order = new GroupFrame.Order(6, 7, List.of(offer, offer)).bytes();
        GroupFrame.Order read = (GroupFrame.Order) GroupFrame.read(order, 0, order.length);
        assertThat(read.last()).isEqualTo(7);
        assertThat(read.count()).isEqualTo(6);
        assertThat(read.parts().get(1).notices()).containsExactly(4, 5);
        for (int cut = 0; cut < order.length; cut++) {
            assertThat(GroupFrame.read(order, 0, cut)).isNull();
        }
        order[0] = 0x22;
        assertThat(GroupFrame.read(order, 0, order.length)).isNull();
    }
}
