package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextsTest {
    @ParameterizedTest
    @CsvSource({
        "250ms, PT0.25S",
        "30s, PT30S",
        "5m, PT5M",
        "1h30m, PT1H30M",
        "1h 30m, PT1H30M",
        "7d, PT168H",
        "1d2h3m4s5ms, PT26H3M4.005S",
        "5 m, PT5M",
        "PT5M, PT5M",
        "P1D, PT24H",
        "pt1.5s, PT1.5S",
        "0s, PT0S",
        "1500ms, PT1.5S"
    })
    void durations(String text, String expected) {
        assertThat(DurationText.parse(text)).isEqualTo(Duration.parse(expected));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "5", "m", "5x", "5m5m", "5s1h", "1.5h", "--5m", "5 0m", "٥m", "P", "PT", "PT0.0001S"})
    void noDurations(String text) {
        assertThat(DurationText.parse(text)).isNull();
    }

    @Test
    void aFormattedDurationReadsBack() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 1_000; i++) {
            Duration duration = Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 45)));
            assertThat(DurationText.parse(DurationText.format(duration)))
                    .as("seed " + seed)
                    .isEqualTo(duration);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "64KiB, 65536",
        "64 kb, 65536",
        "1M, 1048576",
        "1 MB, 1048576",
        "2g, 2147483648",
        "7b, 7",
        "1 TiB, 1099511627776"
    })
    void sizes(String text, long bytes) {
        assertThat(SizeText.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5m", "bi", "5 bits", "7bb", "7bib", "m", "9999999999999999999", "9999999999g"})
    void noSizes(String text) {
        assertThat(SizeText.parse(text)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({"80%, 80", "80 %, 80", "80, 80", "0%, 0", "-1%, -1", "x, -1", "'', -1", "1000%, -1"})
    void percentages(String text, int percent) {
        assertThat(PercentText.parse(text)).isEqualTo(percent == 1000 ? -1 : percent);
    }

    @Test
    void spelling() {
        List<String> known = List.of("ttl", "capacity", "max_memory_mb", "eviction_policy");
        assertThat(Spelling.closest("tlt", known)).isEqualTo("ttl");
        assertThat(Spelling.closest("capcity", known)).isEqualTo("capacity");
        assertThat(Spelling.closest("max-memory-mb", known)).isEqualTo("max_memory_mb");
        assertThat(Spelling.closest("EvictionPolicy", known)).isEqualTo("eviction_policy");
        assertThat(Spelling.closest("x", known)).isEmpty();
        assertThat(Spelling.closest("", known)).isEmpty();
        assertThat(Spelling.closest("a".repeat(1 << 20), known)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"redis-1:6379, redis-1, 6379", "10.0.0.1:1, 10.0.0.1, 1", "[::1]:65535, ::1, 65535", "a_b:80, a_b, 80"})
    void addresses(String text, String host, int port) {
        assertThat(HostAndPort.parse(text)).isEqualTo(new HostAndPort(host, port));
        assertThat(new HostAndPort(host, port)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":1",
                "a",
                "a:",
                "a:0",
                "a:65536",
                "a:b",
                "::1:1",
                "redis://a:1",
                "a b:1",
                "u@a:1",
                "a:99999999"
            })
    void noAddresses(String text) {
        assertThat(HostAndPort.parse(text)).isNull();
    }

    @Test
    void plainTextDoesNotSteerTheTerminal() {
        assertThat(PlainText.of("a\u001b[2J\u007f\u009b1m\u0085\u2028\u202e\ud83d b\ud83d\ude00\u00e4"))
                .isEqualTo("a?[2J??1m???? b\ud83d\ude00\u00e4");
        assertThat(PlainText.start("ab\ud83d\ude00", 3)).isEqualTo("ab");
        assertThat(PlainText.start("ab\ud83d\ude00", 4)).isEqualTo("ab\ud83d\ude00");
    }
}
