package dev.terrace.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.SetupException;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An L2 that takes no signal while it is made slow: all is ended and mended, and nothing stays under way. */
class ChaosSignalTest {
    private final CacheCoordinator node = CacheCoordinator.open(
            SettingsLoader.parse("""
                    distributed_cache:
                      distributed_cache: {enabled: false}
                      backup_storage: {enabled: false}
                      backplane: {enabled: false}
                    """, "none.yaml", Map.of()).settings());
    private final Deaf redis = new Deaf();
    private final Chaos chaos = new Chaos(node, redis);

    /** Notes what it is told, and fails at what it is deaf to. */
    private static final class Deaf implements Chaos.Victim {
        final List<String> told = new CopyOnWriteArrayList<>();
        volatile String deafTo = "";

        private void tell(String what) {
            told.add(what);
            if (what.equals(deafTo)) {
                throw new SetupException("takes no signal", "");
            }
        }

        @Override
        public long pid() {
            return 1;
        }

        @Override
        public void kill() {
            tell("kill");
        }

        @Override
        public void freeze() {
            tell("freeze");
        }

        @Override
        public void thaw() {
            tell("thaw");
        }

        @Override
        public void restart() {
            tell("restart");
        }
    }

    @AfterEach
    void close() {
        chaos.close();
        node.close();
    }

    private void awaitQuiet() {
        await().until(() -> chaos.status().action() == null);
    }

    @Test
    void whatCannotBeFrozenIsLeftAndMended() {
        redis.deafTo = "freeze";
        chaos.slowRemote(Duration.ofSeconds(60), Duration.ofMillis(10));
        awaitQuiet();
        assertThat(redis.told).containsExactly("freeze", "thaw", "restart");
    }

    @Test
    void whatCannotBeThawnIsTriedOnceMoreAndSomebodyElseMayTryAfterwards() {
        redis.deafTo = "thaw";
        chaos.slowRemote(Duration.ofSeconds(60), Duration.ofMillis(10));
        awaitQuiet();
        assertThat(redis.told).containsExactly("freeze", "thaw", "thaw");
        redis.deafTo = "";
        chaos.slowRemote(Duration.ofSeconds(60), Duration.ofMillis(10));
        assertThatCode(chaos::stop).doesNotThrowAnyException();
        awaitQuiet();
        assertThat(redis.told).endsWith("thaw", "restart");
    }
}
