package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FormatOneIT {
    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();

    /** As builds before format 2 wrote it into a plain folder. */
    static byte[] formatOne(Entry entry, boolean compressed) {
        byte[] envelope = Envelope.encode(entry);
        byte[] body = compressed ? Zstd.compress(envelope) : envelope;
        return ByteBuffer.allocate(FormatOne.HEADER_BYTES + body.length)
                .put(FormatOne.FORMAT)
                .put((byte) (compressed ? 1 : 0))
                .putInt(0)
                .putInt(0)
                .putLong(0)
                .putInt(envelope.length)
                .putLong(entry.version().clock())
                .putLong(entry.version().node())
                .put(body)
                .array();
    }

    @Test
    @Tag("F78")
    void aFolderOfFormatOneGoesOn() throws Exception {
        TestContext context = new TestContext(clock, Backups.plain(folder));
        RocksTier tier = Backups.open(context);
        try {
            List<PartitionedStore.Stored> old = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Entry entry = Backups.entry("k" + i, clock.millis(), i, "old " + i + " " + "x".repeat(100));
                old.add(new PartitionedStore.Stored(KeyHash.plain().of(entry.key()), formatOne(entry, i % 2 == 0)));
            }
            tier.store().write(old);
        } finally {
            tier.close();
        }
        RocksTier again = Backups.open(context);
        try {
            for (int i = 0; i < 100; i++) {
                assertThat(Backups.read(again, "k" + i)).startsWith("old " + i + " ");
            }
            Entry older = Backups.entry("k5", clock.millis() - 1, 5, "late");
            assertThat(Backups.await(again.put(older, WriteCondition.IF_NEWER)))
                    .isInstanceOf(StoreOutcome.Superseded.class);
            Backups.store(again, Backups.entry("k5", clock.millis() + 1, 0, "new"));
            assertThat(Backups.read(again, "k5")).isEqualTo("new");
            assertThat(Backups.read(again, "k6")).startsWith("old 6 ");
            List<String> scanned = new ArrayList<>();
            again.scan(entry -> scanned.add(new String(entry.key().keyBytes())));
            assertThat(scanned).hasSize(100);
            assertThat(context.metrics().counter("l3.corrupt").getCount()).isZero();
        } finally {
            again.close();
        }
    }
}
