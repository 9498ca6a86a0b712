package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The notes of hot keys that lie in tiers. */
class HeatNoteTest {
    private static final List<HeatNote.Warm> KEYS = List.of(
            new HeatNote.Warm(CacheKey.of("quotes", "EUR"), 384), new HeatNote.Warm(CacheKey.of("q", "x"), 0.5));

    /** As every build must read it. */
    private static final String GOLDEN = "01" + "0002" + "06" + "0009" + "71756f746573" + "455552" + "43c00000" + "01"
            + "0002" + "71" + "78" + "3f000000";

    @Test
    void isWrittenAsItAlwaysWas() {
        assertThat(HexFormat.of().formatHex(HeatNote.write(KEYS))).isEqualTo(GOLDEN);
        assertThat(HeatNote.read(HexFormat.of().parseHex(GOLDEN))).isEqualTo(KEYS);
    }

    @Test
    void whatIsNotWholeOrOfALaterFormatSaysNothingAndHurtsNobody() {
        byte[] golden = HexFormat.of().parseHex(GOLDEN);
        for (int length = 0; length < golden.length; length++) {
            assertThat(HeatNote.read(Arrays.copyOf(golden, length))).isEmpty();
        }
        golden[0] = 2;
        assertThat(HeatNote.read(golden)).isEmpty();
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 1_000; i++) {
            byte[] any = new byte[random.nextInt(64)];
            random.nextBytes(any);
            HeatNote.read(any);
        }
    }
}
