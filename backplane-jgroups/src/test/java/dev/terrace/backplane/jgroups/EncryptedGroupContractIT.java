package dev.terrace.backplane.jgroups;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.config.Secret;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The group with a secret. */
class EncryptedGroupContractIT extends GroupContractIT {
    @Override
    Secret secret() {
        return new Secret("correct horse battery staple");
    }

    @Test
    void whoHasAnotherSecretHearsNothingAndIsNotHeard() {
        Node a = join();
        Node b = join();
        Stranger stranger = stranger(new Secret("another secret of some length"));
        try {
            assertThat(answer(a.backplane().publish(java.util.List.of(change(1, 1)))))
                    .isPositive();
            await().atMost(SOON).until(() -> b.heard().changes().contains(1L));
            await().during(Duration.ofSeconds(2))
                    .atMost(SOON)
                    .until(() -> stranger.heard().changes().isEmpty());
            stranger.group().publish(java.util.List.of(change(9, 2)));
            await().during(Duration.ofSeconds(1))
                    .atMost(SOON)
                    .until(() -> !b.heard().changes().contains(2L));
        } finally {
            stranger.group().close();
        }
    }
}
