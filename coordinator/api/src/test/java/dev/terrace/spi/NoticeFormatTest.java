package dev.terrace.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class NoticeFormatTest {
    private static final Version VERSION = new Version(0x0102030405060708L, 0x1112131415161718L);
    private static final List<Notice> ALL = List.of(
            new Notice.Changed(1, CacheKey.of("quotes", "ACME"), VERSION, false),
            new Notice.Changed(-1, CacheKey.of("quotes", new byte[] {0, (byte) 0xFF}), VERSION, true),
            new Notice.Marker(2, "quotes", null, VERSION, true),
            new Notice.Marker(2, "quotes", "tech", VERSION, false),
            new Notice.Marker(2, "quotes", "", VERSION, false),
            new Notice.Beat(3, 4, 5, 6, false),
            new Notice.Beat(3, 5, 5, 0, true),
            new Notice.External(7, CacheKey.of("q", "k")));

    @Test
    void whatIsWrittenIsRead() {
        assertThat(NoticeFormat.read(NoticeFormat.write(ALL))).isEqualTo(new NoticeFormat.Read(ALL, 0));
        for (Notice notice : ALL) {
            byte[] bytes = NoticeFormat.write(List.of(notice));
            assertThat(bytes).hasSize(1 + NoticeFormat.lengthOf(notice));
        }
    }

    @Test
    void theLongestKeyFits() {
        Notice longest = new Notice.Changed(
                1,
                CacheKey.of("n".repeat(CacheKey.MAX_CACHE_NAME_BYTES), new byte[CacheKey.MAX_KEY_BYTES]),
                VERSION,
                true);
        assertThat(NoticeFormat.lengthOf(longest)).isEqualTo(NoticeFormat.MAX_NOTICE_BYTES);
        assertThat(NoticeFormat.read(NoticeFormat.write(List.of(longest))).notices())
                .containsExactly(longest);
    }

    @Test
    void theBytesStayTheSame() {
        assertThat(HexFormat.of().formatHex(NoticeFormat.write(ALL)))
                .isEqualTo("01"
                        + "0123" + "0000000000000001" + "01020304050607081112131415161718" + "06" + "71756f746573"
                        + "41434d45"
                        + "1121" + "ffffffffffffffff" + "01020304050607081112131415161718" + "06" + "71756f746573"
                        + "00ff"
                        + "121f" + "0000000000000002" + "01020304050607081112131415161718" + "06" + "71756f746573"
                        + "2223" + "0000000000000002" + "01020304050607081112131415161718" + "06" + "71756f746573"
                        + "74656368"
                        + "221f" + "0000000000000002" + "01020304050607081112131415161718" + "06" + "71756f746573"
                        + "0320" + "0000000000000003" + "0000000000000004" + "0000000000000005" + "0000000000000006"
                        + "1320" + "0000000000000003" + "0000000000000005" + "0000000000000005" + "0000000000000000"
                        + "040b" + "0000000000000007" + "01" + "71" + "6b");
    }

    @Test
    @Tag("F32")
    void aNoticeOfALaterBuildIsPassedOverAndCounted() {
        byte[] later =
                HexFormat.of().parseHex("01" + "0503aabbcc" + "0320" + "00".repeat(32) + "8320" + "00".repeat(32));
        assertThat(NoticeFormat.read(later))
                .isEqualTo(new NoticeFormat.Read(List.of(new Notice.Beat(0, 0, 0, 0, false)), 2));
        assertThat(NoticeFormat.read(new byte[] {2, 1, 2, 3}).unread()).isEqualTo(1);
        assertThat(NoticeFormat.read(new byte[0]).unread()).isEqualTo(1);
    }

    @Test
    @Tag("F32")
    void rubbishNeverThrows() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        byte[] good = NoticeFormat.write(ALL);
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = Arrays.copyOf(good, random.nextInt(good.length + 4));
            for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            assertThat(NoticeFormat.read(bytes).notices()).as("seed %s", seed).hasSizeLessThan(20);
        }
        for (int cut = 0; cut < good.length; cut++) {
            NoticeFormat.Read read = NoticeFormat.read(Arrays.copyOf(good, cut));
            assertThat(read.notices()).isEqualTo(ALL.subList(0, read.notices().size()));
        }
    }

    @Test
    void whatCannotBeWrittenIsRefused() {
        Notice marker = new Notice.Marker(1, "x".repeat(256), null, VERSION, false);
        assertThatThrownBy(() -> NoticeFormat.write(List.of(marker))).isInstanceOf(IllegalArgumentException.class);
    }
}
