package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HintStore.Hint;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hints on the disk: found again after a restart, apart by zone, sealed as entries are. */
class HintFamilyIT {
    private static final long NOW = 1_700_000_000_000L;

    @TempDir
    Path temp;

    private BackupStorageSettings settings(boolean encrypted) {
        return encrypted
                ? Backups.withKeyFile(temp.resolve("l3"), temp.resolve("kek"))
                : Backups.plain(temp.resolve("l3"));
    }

    private static RocksTier open(BackupStorageSettings settings) {
        return Backups.open(new TestContext(InstantSource.system(), settings));
    }

    private static Hint hint(String zone, String key, int version, String text) {
        return new Hint(zone, Backups.entry(key, NOW, version, text), NOW + version);
    }

    private static List<Hint> load(RocksTier tier, String... zones) {
        List<Hint> found = Collections.synchronizedList(new ArrayList<>());
        Backups.await(tier.load(List.of(zones), found::add));
        return found;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasKeptIsThereAfterARestart(boolean encrypted) {
        BackupStorageSettings settings = settings(encrypted);
        RocksTier tier = open(settings);
        for (int i = 0; i < 600; i++) {
            assertThat(Backups.await(tier.keep(hint("east", "k" + i, i, "v" + i))))
                    .isTrue();
        }
        Backups.await(tier.keep(hint("west", "k1", 7, "of west")));
        Backups.await(tier.keep(hint("east", "k1", 9_000, "newer")));
        tier.drop("east", Backups.key("k2"));
        tier.close();

        RocksTier again = open(settings);
        try {
            List<Hint> found = load(again, "east", "west");
            assertThat(found).hasSize(600);
            assertThat(found)
                    .contains(hint("west", "k1", 7, "of west"), hint("east", "k1", 9_000, "newer"))
                    .contains(hint("east", "k599", 599, "v599"))
                    .noneMatch(each -> each.entry().key().equals(Backups.key("k2")));
            Map<?, Entry> read =
                    Backups.await(again.read("east", List.of(Backups.key("k1"), Backups.key("k2"), Backups.key("k3"))));
            assertThat(read).hasSize(2);
            assertThat(Entries.text(read.get(Backups.key("k3")))).isEqualTo("v3");
            // Entries themselves do not know of hints.
            assertThat(Backups.read(again, "k1")).isNull();
        } finally {
            again.close();
        }
    }

    @Test
    void whatIsKeptForZonesThatAreNoMoreIsForgotten() {
        BackupStorageSettings settings = settings(false);
        RocksTier tier = open(settings);
        try {
            for (int i = 0; i < 10; i++) {
                Backups.await(tier.keep(hint("gone", "k" + i, i, "v")));
            }
            Backups.await(tier.keep(hint("east", "k", 1, "v")));
            assertThat(Backups.await(tier.load(List.of("east"), hint -> {}))).isEqualTo(10);
            assertThat(load(tier, "east", "gone")).hasSize(1);
        } finally {
            tier.close();
        }
    }

    @Test
    @Tag("F59")
    void anEncryptedFolderShowsNeitherKeyNorValueOfAHint() throws IOException {
        RocksTier tier = open(settings(true));
        Backups.await(tier.keep(hint("east", "canary-key-71530", 1, "canary-value-71530")));
        tier.close();
        try (Stream<Path> files = Files.walk(temp)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .as(file.toString())
                        .doesNotContain("canary");
            }
        }
    }

    @Test
    void afterClosingNothingIsKeptAndEveryCallIsAnswered() {
        RocksTier tier = open(settings(false));
        tier.close();
        assertThat(Backups.await(tier.keep(hint("east", "k", 1, "v")))).isFalse();
        assertThat(Backups.await(tier.read("east", List.of(Backups.key("k"))))).isEmpty();
        assertThat(load(tier, "east")).isEmpty();
        tier.drop("east", Backups.key("k"));
    }
}
