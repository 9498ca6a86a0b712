package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Turkish i has no dot when it is lower case, and one when it is upper case; Arabic has digits of its own. */
@Tag("F79")
class LanguageTest {
    private final Locale before = Locale.getDefault();

    @BeforeEach
    @AfterEach
    void restore() {
        Locale.setDefault(before);
    }

    @Test
    void settingsMeanTheSameInTurkeyAndInEgypt() throws IOException {
        Map<String, String> environment = Map.of("PASSWORD", "p", "RECIPIENT", EveryKeyTest.RECIPIENT);
        LoadedSettings here = SettingsLoader.parse(EveryKeyTest.everyKey(), "every", environment);
        String shownHere = EffectiveSettings.yaml(here);
        for (String tag : new String[] {"tr-TR", "ar-EG-u-nu-arab"}) {
            Locale.setDefault(Locale.forLanguageTag(tag));
            LoadedSettings there = SettingsLoader.parse(EveryKeyTest.everyKey(), "every", environment);
            assertThat(there.settings()).isEqualTo(here.settings());
            assertThat(EffectiveSettings.yaml(there)).isEqualTo(shownHere);
        }
    }

    @Test
    void wordsWithAnIAreUnderstoodInUpperCase() {
        Locale.setDefault(Locale.forLanguageTag("tr-TR"));
        Settings settings = SettingsLoader.parse(
                        "distributed_cache: {distributed_cache: {consistency_level: ASYNC, topology: SENTINEL,"
                                + " sentinel_master: m, backend: REDIS}, local_cache: {max_memory_mb: 1 GIB}}",
                        "turkish",
                        Map.of())
                .settings();
        assertThat(settings.distributedCache().topology()).isEqualTo(DistributedCacheSettings.Topology.SENTINEL);
        assertThat(settings.localCache().maxMemoryMib()).isEqualTo(1_024);
        assertThat(Spelling.closest("SENTINELMASTER", java.util.List.of("sentinel_master")))
                .isEqualTo("sentinel_master");
    }
}
