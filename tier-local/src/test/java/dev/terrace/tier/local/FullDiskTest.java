package dev.terrace.tier.local;

import static dev.terrace.tier.local.PersistedFixture.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** L1 in a folder whose disk has less room than it wants. Mounts a small disk of memory, which takes root's rights. */
@Tag("F39")
class FullDiskTest {
    @TempDir
    Path given;

    private final ManualClock clock = ManualClock.startingNow();
    private final MetricRegistry metrics = new MetricRegistry();
    private Path disk = Path.of("");
    private boolean mounted;

    @BeforeEach
    void mount() throws Exception {
        disk = Files.createDirectory(given.resolve("disk"));
        mounted = run("mount", "-t", "tmpfs", "-o", "size=7m", "tmpfs", disk.toString());
        Assumptions.assumeTrue(mounted, "a small disk cannot be mounted here");
    }

    @AfterEach
    void unmount() throws Exception {
        if (mounted) {
            // Mappings of the closed tier live until they are collected.
            run("umount", "-l", disk.toString());
        }
    }

    private static boolean run(String... command) throws Exception {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException notThere) {
            return false;
        }
    }

    @Test
    void aFileThatDoesNotFitIsAClearErrorAndLeavesNothingBehind() throws Exception {
        assertThatThrownBy(() -> PersistedFixture.open(disk.resolve("l1"), clock, metrics, 64))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("cannot be made")
                .hasMessageContaining("max_memory_mb");
        try (Stream<Path> files = Files.list(disk.resolve("l1"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("l1.lock", "l1.markers");
        }
        try (PersistedTier tier = PersistedFixture.open(disk.resolve("l1"), clock, metrics, 4)) {
            assertThat(tier.store(entry(clock, 1, 1, new byte[10]), WriteCondition.IF_NEWER))
                    .isInstanceOf(StoreOutcome.Applied.class);
        }
    }

    @Test
    void whereThereIsNoRoomForTwoTheOneThatWasSetAsideGoes() throws Exception {
        Path made = given.resolve("l1");
        try (PersistedTier tier = PersistedFixture.open(made, clock, metrics, 8)) {
            tier.store(entry(clock, 1, 1, new byte[10]), WriteCondition.IF_NEWER);
        }
        // A copy, because a file that this process has mapped keeps its room.
        Path folder = Files.createDirectory(disk.resolve("l1"));
        Path file = Files.copy(made.resolve("l1.terrace"), folder.resolve("l1.terrace"));
        assertThat(Files.size(file)).isGreaterThan((7 << 20) / 2);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(FileHeader.HEAD_BYTES / 16 * 15), FileHeader.HEAD_BYTES / 16);
        }
        try (PersistedTier tier = PersistedFixture.open(folder, clock, metrics, 8)) {
            assertThat(tier.inherited().entries()).isZero();
            assertThat(tier.store(entry(clock, 1, 1, new byte[10]), WriteCondition.IF_NEWER))
                    .isInstanceOf(StoreOutcome.Applied.class);
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(each -> each.getFileName().toString()))
                    .containsExactlyInAnyOrder("l1.lock", "l1.markers", "l1.terrace");
        }
    }

    /** As a copying program leaves it that makes holes of zeros. */
    @Test
    void aFileWithHolesOnAFullDiskIsSetAside() throws Exception {
        Path folder = given.resolve("l1");
        try (PersistedTier tier = PersistedFixture.open(folder, clock, metrics, 64)) {
            tier.store(entry(clock, 1, 1, new byte[1_000]), WriteCondition.IF_NEWER);
        }
        Path sparse = Files.createDirectory(disk.resolve("l1"));
        copyWithHoles(folder.resolve("l1.terrace"), sparse.resolve("l1.terrace"));
        assertThatThrownBy(() -> PersistedFixture.open(sparse, clock, metrics, 64))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("cannot be made");
        try (Stream<Path> files = Files.list(sparse)) {
            assertThat(files).anyMatch(file -> file.toString().contains("l1.terrace.unreadable-"));
        }
    }

    private static void copyWithHoles(Path from, Path to) throws IOException {
        try (FileChannel in = FileChannel.open(from);
                FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer page = ByteBuffer.allocate(4_096);
            ByteBuffer zeros = ByteBuffer.allocate(4_096);
            long size = in.size();
            for (long at = 0; at < size; at += page.capacity()) {
                page.clear();
                in.read(page, at);
                page.flip();
                boolean empty = page.equals(zeros.clear().limit(page.remaining()));
                if (!empty) {
                    out.write(page, at);
                }
            }
            if (out.size() < size) {
                out.write(ByteBuffer.allocate(1), size - 1);
            }
        }
    }
}
