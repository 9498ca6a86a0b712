package dev.terrace.node.drill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A judge that passes everything would make every drill a success. */
class LedgerTest {
    private static final Version FIRST = Version.of(1_000, 0, 2);
    private static final Version SECOND = Version.of(2_000, 0, 2);

    private final Values values = new Values(7, 256);
    private final Ledger ledger = new Ledger(values, 3);

    private void write(Version version, long nanos) {
        int number = ledger.next(0);
        ledger.acknowledged(0, new Ledger.Ack(number, version, nanos));
    }

    @Test
    void valuesSayOfWhichWriteTheyAre() {
        byte[] value = values.of(12, 34);
        assertThat(value).hasSize(256);
        assertThat(values.number(12, value)).isEqualTo(34);
        assertThat(values.number(13, value)).as("of another key").isZero();
        value[200] ^= 1;
        assertThat(values.number(12, value)).as("a turned bit").isZero();
        assertThat(values.number(12, "short".getBytes(StandardCharsets.US_ASCII)))
                .isZero();
        assertThat(new Values(8, 256).number(12, values.of(12, 34)))
                .as("of another drill")
                .isZero();
    }

    @Test
    void everythingButTheNewestWriteIsFound() {
        write(FIRST, 100);
        write(SECOND, 200);
        assertThat(ledger.judge(0, values.of(0, 2), SECOND)).isEqualTo(Ledger.Finding.NEWEST);
        assertThat(ledger.judge(0, values.of(0, 1), FIRST)).isEqualTo(Ledger.Finding.OLDER);
        assertThat(ledger.judge(0, null, null)).isEqualTo(Ledger.Finding.MISSING);
        assertThat(ledger.judge(0, values.of(0, 2), FIRST)).isEqualTo(Ledger.Finding.WRONG_VERSION);
        assertThat(ledger.judge(0, values.of(0, 2), null)).isEqualTo(Ledger.Finding.WRONG_VERSION);
        assertThat(ledger.judge(0, values.of(1, 2), SECOND)).isEqualTo(Ledger.Finding.WRONG_BYTES);
        assertThat(ledger.judge(0, values.of(0, 3), SECOND)).as("never tried").isEqualTo(Ledger.Finding.WRONG_BYTES);
        ledger.next(0);
        assertThat(ledger.judge(0, values.of(0, 3), Version.of(3_000, 0, 2)))
                .as("tried, never answered, and there")
                .isEqualTo(Ledger.Finding.NEWEST);
    }

    @Test
    void lostIsWhatWasAcknowledgedAndIsNewer() {
        write(FIRST, 100);
        write(SECOND, 200);
        assertThat(ledger.lost(0, values.of(0, 2))).isEmpty();
        assertThat(ledger.lost(0, values.of(0, 1)))
                .extracting(Ledger.Ack::atNanos)
                .containsExactly(200L);
        assertThat(ledger.lost(0, null)).extracting(Ledger.Ack::atNanos).containsExactly(100L, 200L);
        Ledger copy = ledger.copy();
        write(Version.of(3_000, 0, 2), 300);
        assertThat(copy.lost(0, null)).hasSize(2);
        assertThat(ledger.acknowledged()).isEqualTo(3);
    }

    @Test
    void aReportWithoutObjectivesOrWithAFailureIsNotMet() {
        List<DrillReport.Objective> met = List.of(new DrillReport.Objective("a <b>&\u0001", "1", "\"1\"", true));
        assertThat(report(List.of(), "").met()).isFalse();
        assertThat(report(met, "").met()).isTrue();
        assertThat(report(met, "it broke").met()).isFalse();
        assertThat(report(List.of(met.get(0), new DrillReport.Objective("b", "1", "2", false)), "")
                        .met())
                .isFalse();
        assertThat(DrillPage.of(report(met, "<script>")))
                .contains("a &lt;b&gt;&amp; ", "&lt;script&gt;")
                .doesNotContain("<script");
    }

    private static DrillReport report(List<DrillReport.Objective> objectives, String failure) {
        return new DrillReport(
                "x",
                "about",
                Instant.EPOCH,
                10,
                Map.of(),
                1,
                List.of(),
                -1,
                List.of(),
                null,
                new TreeMap<>(),
                objectives,
                failure);
    }
}
