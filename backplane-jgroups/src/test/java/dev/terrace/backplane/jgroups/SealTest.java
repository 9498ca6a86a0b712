package dev.terrace.backplane.jgroups;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SealTest {
    private static final Seal OURS = Seal.of("a secret of some length", "one");
    private final byte[] frame = "what was said".getBytes(StandardCharsets.UTF_8);

    @Test
    void whatWasClosedIsOpenedAndEveryChangedBitIsNoticed() {
        byte[] closed = OURS.close(frame);
        assertThat(OURS.open(closed, 0, closed.length)).isEqualTo(frame.length);
        assertThat(Arrays.copyOf(closed, frame.length)).isEqualTo(frame);
        for (int bit = 0; bit < closed.length * 8; bit++) {
            byte[] changed = closed.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(OURS.open(changed, 0, changed.length)).as("bit %d", bit).isNegative();
        }
        for (int length = 0; length < closed.length; length++) {
            assertThat(OURS.open(closed, 0, length)).isNegative();
        }
    }

    @Test
    void itMayStandAnywhereInABuffer() {
        byte[] closed = OURS.close(frame);
        byte[] buffer = new byte[closed.length + 9];
        System.arraycopy(closed, 0, buffer, 5, closed.length);
        assertThat(OURS.open(buffer, 5, closed.length)).isEqualTo(frame.length);
        assertThat(OURS.open(buffer, 4, closed.length)).isNegative();
    }

    @Test
    void anotherSecretOrAnotherGroupProvesNothing() {
        byte[] closed = OURS.close(frame);
        assertThat(Seal.of("a secret of some length", "one").open(closed, 0, closed.length))
                .isEqualTo(frame.length);
        assertThat(Seal.of("a secret of some length", "two").open(closed, 0, closed.length))
                .isNegative();
        assertThat(Seal.of("a secret of another kind", "one").open(closed, 0, closed.length))
                .isNegative();
    }

    @Test
    void withoutASecretNothingIsAdded() {
        assertThat(Seal.none().close(frame)).isSameAs(frame);
        assertThat(Seal.none().open(frame, 0, frame.length)).isEqualTo(frame.length);
        assertThat(Seal.none().cipherKey()).isNull();
    }
}
