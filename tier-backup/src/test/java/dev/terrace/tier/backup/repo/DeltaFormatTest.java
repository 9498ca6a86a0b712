package dev.terrace.tier.backup.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DeltaFormatTest {
    private static final DeltaFormat.Batch BATCH = new DeltaFormat.Batch(
            7,
            3,
            1000,
            List.of(
                    new DeltaFormat.Change("p-1-2", new byte[] {1, 2}, new byte[] {9}),
                    new DeltaFormat.Change("p-2-3", new byte[] {3}, null)));

    private static byte[] encoded() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DeltaFormat.Encoder encoder = new DeltaFormat.Encoder(out);
        encoder.batch(BATCH);
        encoder.batch(new DeltaFormat.Batch(10, 1, 1001, List.of()));
        encoder.end(10);
        return out.toByteArray();
    }

    private static List<DeltaFormat.Batch> read(byte[] bytes) throws IOException {
        List<DeltaFormat.Batch> found = new ArrayList<>();
        DeltaFormat.read(new ByteArrayInputStream(bytes), bytes.length, found::add);
        return found;
    }

    @Test
    void aDeltaIsTheseBytes() throws IOException {
        assertThat(HexFormat.of().formatHex(encoded()))
                .isEqualTo("54444c5401" + "460005702d312d32" + "460005702d322d33"
                        + "42" + "0000000000000007" + "00000003" + "00000000000003e8" + "00000002"
                        + "0000" + "00000002" + "00000001" + "0102" + "09"
                        + "0001" + "00000001" + "ffffffff" + "03"
                        + "42" + "000000000000000a" + "00000001" + "00000000000003e9" + "00000000"
                        + "45" + "000000000000000a");
    }

    @Test
    void itIsReadBackUpToWhereTheReaderHasEnough() throws IOException {
        List<DeltaFormat.Batch> found = read(encoded());
        assertThat(found).hasSize(2);
        assertThat(found.get(0)).usingRecursiveComparison().isEqualTo(BATCH);
        List<DeltaFormat.Batch> one = new ArrayList<>();
        byte[] bytes = encoded();
        DeltaFormat.read(new ByteArrayInputStream(bytes), bytes.length, batch -> {
            one.add(batch);
            return false;
        });
        assertThat(one).hasSize(1);
    }

    @Test
    void whatIsCutShortIsRefused() throws IOException {
        byte[] bytes = encoded();
        for (int length = 0; length < bytes.length - 8; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> read(cut)).as("%d bytes", length).isInstanceOf(IOException.class);
        }
    }

    /** The hash in the generation finds every flip; this is about what happens to one that reads without looking at it. */
    @Test
    @Tag("F60")
    void flippedBitsNeverMakeItTakeMoreThanThereIs() throws IOException {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("DeltaFormatTest: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = encoded();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            try {
                read(bytes);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("delta");
            }
        }
    }
}
