package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;
import static dev.terrace.tier.local.PersistedFixture.entry;
import static dev.terrace.tier.local.PersistedFixture.held;
import static dev.terrace.tier.local.PersistedFixture.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that die while they write to L1. A process that is stopped has left in the page cache just what it would leave if it were killed
 * at that instruction, so most rounds stop it, take a copy, and let it go on; the last one kills it.
 */
class KilledProcessTest {
    private static final int KEYS = 400;
    private static final int LONGEST = 5_000;
    private static final int ROUNDS = Integer.getInteger("terrace.l1.kills", 200);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    /** Writes and drops, and notes in a mapped file which number of each key was done. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            InstantSource clock = InstantSource.system();
            MappedByteBuffer done = notes(folder.resolve("done"));
            PersistedTier tier = PersistedFixture.open(folder.resolve("l1"), clock, new MetricRegistry(), 4);
            tier.confirm();
            System.out.println("ready");
            List<Thread> threads = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                int mine = thread;
                threads.add(new Thread(() -> write(tier, clock, done, mine)));
            }
            threads.forEach(Thread::start);
            System.in.read();
            System.exit(0);
        }

        /** Keys of one thread are even, of the other odd. */
        private static void write(PersistedTier tier, InstantSource clock, MappedByteBuffer done, int mine) {
            SplittableRandom random = new SplittableRandom(mine);
            long start = clock.millis();
            for (int number = 1; ; number++) {
                int key = random.nextInt(KEYS / 2) * 2 + mine;
                if (random.nextInt(8) == 0) {
                    tier.drop(key(key));
                    done.putInt(key * Integer.BYTES, -number);
                } else {
                    byte[] payload = payload(key, number, random.nextInt(LONGEST));
                    Version version = version(start + number / 60_000, number % 60_000);
                    tier.store(
                            Entries.value(key(key), version, clock.millis(), PersistedFixture.TTL, payload),
                            WriteCondition.IF_NEWER);
                    done.putInt(key * Integer.BYTES, number);
                }
            }
        }
    }

    private static MappedByteBuffer notes(Path path) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(MapMode.READ_WRITE, 0, KEYS * Integer.BYTES);
        }
    }

    /** Says whose it is, and shows if a part of it is another's. */
    private static byte[] payload(int key, int number, int filler) {
        byte[] payload = new byte[2 * Integer.BYTES + filler];
        Arrays.fill(payload, (byte) (key * 31 + number));
        ByteBuffer.wrap(payload).putInt(key).putInt(number);
        return payload;
    }

    private Process start(Class<?> main, Path where) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                where.toString()));
        return new ProcessBuilder(command)
                .redirectError(folder.resolve("err.txt").toFile())
                .start();
    }

    private void awaitReady(Process process) throws IOException {
        byte[] said = process.getInputStream().readNBytes("ready\n".length());
        assertThat(new String(said, java.nio.charset.StandardCharsets.US_ASCII))
                .as(Files.readString(folder.resolve("err.txt")))
                .isEqualTo("ready\n");
    }

    private static void signal(Process process, String signal) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start();
        assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    private static void awaitStopped(Process process) {
        Path status = Path.of("/proc", Long.toString(process.pid()), "task");
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> {
                    try (var tasks = Files.list(status)) {
                        return tasks.allMatch(task -> isStopped(task.resolve("stat")));
                    }
                });
    }

    private static boolean isStopped(Path stat) {
        try {
            String line = Files.readString(stat);
            return line.charAt(line.lastIndexOf(')') + 2) == 'T';
        } catch (IOException ended) {
            return true;
        }
    }

    @Test
    @Tag("F35")
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void whoeverDiesWhileWritingLeavesNoWrongAndNoTornValue() throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("KilledProcessTest seed=" + seed + " rounds=" + ROUNDS);
        SplittableRandom random = new SplittableRandom(seed);
        Process writer = start(Writer.class, folder);
        try {
            awaitReady(writer);
            int found = 0;
            for (int round = 0; round < ROUNDS; round++) {
                TimeUnit.MICROSECONDS.sleep(random.nextInt(8_000));
                boolean last = round == ROUNDS - 1;
                Path left = folder.resolve(last ? "l1" : "copy");
                if (last) {
                    writer.destroyForcibly().waitFor();
                } else {
                    signal(writer, "STOP");
                    awaitStopped(writer);
                    copy(left);
                }
                int[] done = numbers();
                if (!last) {
                    signal(writer, "CONT");
                }
                found += requireSound(left, done, seed);
            }
            assertThat(found).isGreaterThan(ROUNDS * KEYS / 4);
        } finally {
            writer.destroyForcibly();
        }
    }

    private void copy(Path to) throws IOException {
        Files.createDirectories(to);
        for (String name : List.of("l1.terrace", "l1.markers")) {
            Files.copy(
                    folder.resolve("l1").resolve(name),
                    to.resolve(name),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private int[] numbers() throws IOException {
        MappedByteBuffer notes = notes(folder.resolve("done"));
        int[] numbers = new int[KEYS];
        for (int key = 0; key < KEYS; key++) {
            numbers[key] = notes.getInt(key * Integer.BYTES);
        }
        return numbers;
    }

    /** How many values there are, each of which is the last one that was done, or the one that was under way. */
    private static int requireSound(Path left, int[] done, long seed) {
        MetricRegistry metrics = new MetricRegistry();
        int there = 0;
        int lost = 0;
        try (PersistedTier tier = PersistedFixture.open(left, ManualClock.startingNow(), metrics, 4)) {
            tier.confirm();
            for (int key = 0; key < KEYS; key++) {
                Entry held = held(tier, key(key));
                if (held == null) {
                    lost += done[key] > 0 ? 1 : 0;
                    continue;
                }
                ByteBuffer payload = ByteBuffer.wrap(held.payload());
                assertThat(payload.getInt()).as("seed %d: whose value", seed).isEqualTo(key);
                int number = payload.getInt();
                assertThat(held.payload())
                        .as("seed %d key %d", seed, key)
                        .isEqualTo(payload(key, number, held.payload().length - 2 * Integer.BYTES));
                assertThat(number)
                        .as("seed %d key %d is not older than what was done", seed, key)
                        .isGreaterThanOrEqualTo(Math.abs(done[key]));
                there++;
            }
            assertThat(lost)
                    .as("seed %d: a write or a drop of each thread is under way", seed)
                    .isLessThanOrEqualTo(2);
            assertThat(metrics.counter("l1.corrupt").getCount()).isZero();
        }
        return there;
    }

    /** Holds the folder until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws Exception {
            PersistedTier tier =
                    PersistedFixture.open(Path.of(arguments[0]), InstantSource.system(), new MetricRegistry());
            tier.store(entry(InstantSource.system(), 1, 1, new byte[10]), WriteCondition.IF_NEWER);
            System.out.println("ready");
            System.in.read();
        }
    }

    @Test
    @Tag("F38")
    @Tag("F40")
    void aSecondProcessIsToldWhoHasTheFolderAndADeadOneHasItNoMore() throws Exception {
        Path held = folder.resolve("held");
        Process holder = start(Holder.class, held);
        try {
            awaitReady(holder);
            assertThatThrownBy(() -> PersistedFixture.open(held, InstantSource.system(), new MetricRegistry()))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("is in use by process " + holder.pid());
            holder.destroyForcibly().waitFor();
            try (PersistedTier tier = PersistedFixture.open(held, InstantSource.system(), new MetricRegistry())) {
                assertThat(tier.inherited().entries()).isEqualTo(1);
                assertThatThrownBy(() -> PersistedFixture.open(held, InstantSource.system(), new MetricRegistry()))
                        .isInstanceOf(SetupException.class)
                        .hasMessageContaining("is in use by process "
                                + ProcessHandle.current().pid());
                Process another = start(Holder.class, held);
                try {
                    assertThat(another.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                            .as("whoever is refused here does not let others in")
                            .isTrue();
                } finally {
                    another.destroyForcibly();
                }
                assertThat(Files.readString(folder.resolve("err.txt")))
                        .contains("is in use by process "
                                + ProcessHandle.current().pid());
            }
        } finally {
            holder.destroyForcibly();
        }
    }
}
