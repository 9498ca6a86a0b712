package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.testkit.ManualClock;
import dev.terrace.tier.backup.RingKey.Purpose;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Folders that are opened, written to, killed, cloned, put back from copies and rotated at random: no nonce is used twice under one
 * key, and what was sealed is opened by whoever has the folder's key file of then or later.
 */
class NonceHistoryTest {
    private static final int HISTORIES = Integer.getInteger("terrace.histories", 6);
    private static final int STEPS = 40;
    private static final long KEEP = Duration.ofDays(3_650).toMillis();

    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_000_000_000_000L);

    /** What was sealed somewhere. */
    private record Sealed(long subKey, String secret, long counter) {}

    @Test
    void noNonceRepeatsUnderAnyKeyWhateverHappensToFolders() throws IOException {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println("NonceHistoryTest -Dterrace.seed=" + seed);
        Path kek = Files.writeString(temp.resolve("kek"), "ab".repeat(32));
        BackupStorageSettings settings =
                Backups.withPassphrase(temp).withKey(null, "terrace", null, "file", kek.toString());
        SplittableRandom seeds = new SplittableRandom(seed);
        for (int history = 0; history < HISTORIES; history++) {
            new History(settings, seeds.split(), Files.createDirectory(temp.resolve("h" + history))).run();
        }
    }

    private final class History {
        private final BackupStorageSettings settings;
        private final SplittableRandom random;
        private final Path place;
        private final List<Path> folders = new ArrayList<>();
        private final List<byte[]> copies = new ArrayList<>();
        private final Set<String> nonces = new HashSet<>();

        History(BackupStorageSettings settings, SplittableRandom random, Path place) {
            this.settings = settings;
            this.random = random;
            this.place = place;
        }

        void run() throws IOException {
            folders.add(place.resolve("0"));
            KeyRing.create(folders.get(0), settings, clock);
            for (int step = 0; step < STEPS; step++) {
                clock.advance(Duration.ofMinutes(random.nextInt(100)));
                Path folder = folders.get(random.nextInt(folders.size()));
                switch (random.nextInt(6)) {
                    case 0 -> copies.add(Files.readAllBytes(folder));
                    case 1 -> {
                        if (!copies.isEmpty()) {
                            Files.write(folder, copies.get(random.nextInt(copies.size())));
                        }
                    }
                    case 2 -> {
                        Path clone = place.resolve(Integer.toString(folders.size()));
                        Files.copy(folder, clone);
                        folders.add(clone);
                    }
                    default -> live(folder);
                }
            }
        }

        /** One life of a process: two threads seal, now and then a key is rotated; it ends without a farewell. */
        private void live(Path folder) throws IOException {
            KeyRing ring = KeyRing.open(folder, settings, clock);
            long cap = 1 + random.nextInt(20);
            SealingKey records = new SealingKey(ring, KEEP, cap, 1_000);
            SealingKey hints = new SealingKey(ring, KEEP, cap, 1_000);
            List<Sealed> sealed = new ArrayList<>();
            for (int i = random.nextInt(30); i > 0; i--) {
                if (random.nextInt(15) == 0) {
                    ring.rotate(Purpose.DATA, "test");
                }
                SealingKey one = random.nextBoolean() ? records : hints;
                one.next(random.nextInt(200));
                String secret = HexFormat.of().formatHex(one.secret().getEncoded());
                String nonce =
                        HexFormat.of().formatHex(SealingKey.nonce(one.counter()).getIV());
                assertThat(nonces.add(secret + nonce))
                        .as("a nonce is used once")
                        .isTrue();
                sealed.add(new Sealed(one.subKey().id(), secret, one.counter()));
            }
            KeyRing later = KeyRing.open(folder, settings, clock);
            for (Sealed each : sealed) {
                assertThat(later.subKey(each.subKey).getEncoded())
                        .matches(bytes -> Arrays.equals(bytes, HexFormat.of().parseHex(each.secret)));
            }
        }
    }
}
