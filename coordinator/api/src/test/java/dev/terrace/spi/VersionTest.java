package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class VersionTest {
    @Test
    void ordersByTimeThenCounterThenNodeAllUnsigned() {
        Version[] ascending = {
            Version.ZERO,
            Version.of(1, 0, 0),
            Version.of(1, 0, 1),
            Version.of(1, 0, Long.MAX_VALUE),
            Version.of(1, 0, Long.MIN_VALUE),
            Version.of(1, 0, -1),
            Version.of(1, 1, 0),
            Version.of(1, 0xFFFF, 0),
            Version.of(2, 0, 0),
            Version.of(0x8000_0000_0000L, 0, 0),
            Version.of(0xFFFF_FFFF_FFFFL, 0xFFFF, -1)
        };
        for (int i = 0; i < ascending.length; i++) {
            for (int j = 0; j < ascending.length; j++) {
                assertThat(Integer.signum(ascending[i].compareTo(ascending[j])))
                        .as("%s against %s", ascending[i], ascending[j])
                        .isEqualTo(Integer.compare(i, j));
            }
        }
    }

    @Test
    void textFormRoundTripsAndOrdersAlike() {
        Version version = Version.of(0x0192a3b4c5d6L, 7, 0xdeadbeefL);
        assertThat(version).hasToString("0192a3b4c5d6000700000000deadbeef");
        assertThat(Version.parse(version.toString())).isEqualTo(version);
    }

    @Test
    void refusesWhatIsNotAVersion() {
        assertThatThrownBy(() -> Version.parse("xyz")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Version.parse("g".repeat(32))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Version.of(-1, 0, 0)).hasMessageContaining("48 bits");
        assertThatThrownBy(() -> Version.of(0, 0x1_0000, 0)).hasMessageContaining("16 bits");
    }
}
