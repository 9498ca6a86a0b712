package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.Place;
import dev.terrace.tier.backup.repo.Repository;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A folder of L3 that is written to and shipped, beside its {@link History}. For one thread. */
final class ModelWriter {
    private static final CacheWatch.Limits SOON = new CacheWatch.Limits(500, 4 << 20, 8 << 10, 100_000, 100_000);

    private final Path home;
    private final ManualClock clock;
    private final BackupStorageSettings like;
    private final Script script;
    private final List<String> lived = new ArrayList<>();
    private History history = new History();
    private BackupStorageSettings settings;
    private RocksTier tier;
    private @Nullable Shipping shipping;

    /** @param like settings but for the folder */
    ModelWriter(Path home, ManualClock clock, BackupStorageSettings like, Script script) {
        this.home = home;
        this.clock = clock;
        this.like = like;
        this.script = script;
        this.settings = like.withPath(home.resolve("l3-0"));
        this.tier = open();
    }

    private RocksTier open() {
        return Backups.open(new TestContext(clock, settings, SOON));
    }

    History history() {
        return history;
    }

    RocksTier tier() {
        return tier;
    }

    /** Writes what the script says next. */
    void write() {
        long now = clock.millis();
        Entry entry = script.next(now);
        StoreOutcome outcome = Backups.await(tier.put(entry, WriteCondition.IF_NEWER));
        if (outcome instanceof StoreOutcome.Applied) {
            history.add(now, entry);
            if (entry.key().cache().equals(History.MARKERS)) {
                String cleared = new String(entry.key().keyBytes(), StandardCharsets.UTF_8);
                Backups.await(tier.clear(cleared, entry.version()));
            }
        } else {
            assertThat(outcome).isInstanceOf(StoreOutcome.Superseded.class);
        }
    }

    /** Writes enough for a dictionary, and waits for it. */
    void train() {
        List<Entry> many = new ArrayList<>();
        for (int i = 0; i < 510; i++) {
            many.add(Backups.entry(
                    "filler" + i,
                    clock.millis(),
                    i,
                    "{\"symbol\":\"k" + i + "\",\"price\":12345,\"currency\":\"EUR\",\"note\":\""
                            + Long.toHexString(31L * i) + "\"}"));
        }
        Backups.await(tier.putAll(many.stream()
                .map(entry -> new Entry(
                        CacheKey.of("quotes", entry.key().keyBytes()),
                        entry.kind(),
                        entry.version(),
                        entry.createdMillis(),
                        entry.freshUntilMillis(),
                        entry.staleUntilMillis(),
                        entry.tags(),
                        entry.payload()))
                .toList()));
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> !tier.dictionaries().all().isEmpty());
    }

    private Shipping shipping(BlobStore store) throws IOException {
        Shipping known = shipping;
        if (known == null) {
            Path folder = settings.path();
            KeyRing ring = settings.encryption() ? KeyRing.open(folder.resolve(Folder.KEYS), settings, clock) : null;
            known = new Shipping(
                    tier.vault().store(),
                    new StoreCheckpoint(tier.vault().store(), folder.resolve("checkpoint"), clock),
                    new Repository(store, RepositoryRing.signing(ring)),
                    new FolderPlace(folder.resolve("BACKUP")),
                    new RepositoryRing(folder.resolve(Folder.KEYS)),
                    new Shipping.Schedule(5_000, Long.MAX_VALUE, null),
                    null,
                    clock,
                    new MetricRegistry());
            shipping = known;
        }
        return known;
    }

    /** Ships everything; a snapshot when told or when there is none yet. */
    ChainState ship(BlobStore store, boolean snapshot) throws Exception {
        Shipping by = shipping(store);
        return snapshot ? by.snapshot() : by.run();
    }

    /** It goes on with another connection to its repository, having forgotten what it knew of it. */
    void forgetRepository() {
        shipping = null;
    }

    /** The writer of the repository that the folder takes itself for; 0 when for none. */
    int place() throws IOException {
        Place place = new FolderPlace(settings.path().resolve("BACKUP")).load();
        return place == null ? 0 : place.writer();
    }

    void rotate(String purpose) {
        assertThat(Backups.await(tier.rotateKey(purpose, "model"))).isEmpty();
        shipping = null;
    }

    void reopen() {
        tier.close();
        shipping = null;
        tier = open();
    }

    /** The process dies: the folder as it is on the disk at this moment is all that is left. */
    void crash() throws IOException {
        Path left = image();
        tier.close();
        become(left);
    }

    /** The machine dies, and the end of the log with it: so many bytes at most. */
    void losePower(int mostBytes) throws IOException {
        Path left = image();
        tier.close();
        cutLog(left.resolve(Folder.DATABASE), mostBytes);
        become(left);
        history = history.prefix(livingPrefix());
    }

    /** The folder is put back as it was when {@link #keepCopy} was called. */
    void goBackTo(Path copy, History then) throws IOException {
        tier.close();
        become(copy);
        history = then;
    }

    /** A copy of the folder as it is now. */
    Path keepCopy() throws IOException {
        return image();
    }

    private void become(Path folder) {
        shipping = null;
        settings = like.withPath(folder);
        tier = open();
    }

    /** Another process has the folder meanwhile. */
    Path leave() {
        tier.close();
        shipping = null;
        return settings.path();
    }

    /** And gives it back, having written what {@code after} says. */
    void comeBack(History after) {
        history = after;
        tier = open();
        history = history.prefix(livingPrefix());
    }

    /** How many events are there: what was lost is an end of the history. */
    private int livingPrefix() {
        History.Part all = history.part(0);
        History.Judge judge =
                new History.Judge(clock.millis(), settings.retention().toMillis());
        for (int count = history.size(); count >= 0; count--) {
            if (judge.differs(all.state(count), this::read, Script.universe()) == null) {
                return count;
            }
        }
        throw new AssertionError("what is left is no beginning of what was written: "
                + judge.differs(all.state(history.size()), this::read, Script.universe()));
    }

    @Nullable
    Entry read(CacheKey key) {
        return Backups.await(tier.get(key)) instanceof Lookup.Hit hit ? hit.entry() : null;
    }

    private static void cutLog(Path database, int mostBytes) throws IOException {
        Path log;
        try (Stream<Path> files = Files.list(database)) {
            log = files.filter(file -> file.toString().endsWith(".log"))
                    .max(Comparator.comparing(Path::getFileName))
                    .orElseThrow();
        }
        try (RandomAccessFile bytes = new RandomAccessFile(log.toFile(), "rw")) {
            bytes.setLength(Math.max(0, bytes.length() - mostBytes));
        }
    }

    /** A copy of the folder at rest: taken again until nothing changed meanwhile. */
    private Path image() throws IOException {
        tier.dictionaries().close();
        while (true) {
            Path image = home.resolve("l3-" + (lived.size() + 1));
            lived.add(image.toString());
            try {
                Map<String, Long> before = files(settings.path());
                copy(settings.path(), image);
                if (before.equals(files(settings.path())) && before.equals(files(image))) {
                    return image;
                }
            } catch (NoSuchFileException e) {
                // A file went away meanwhile.
            }
            Folders.delete(image);
        }
    }

    private static Map<String, Long> files(Path folder) throws IOException {
        Map<String, Long> found = new TreeMap<>();
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.filter(Files::isRegularFile).toList()) {
                found.put(folder.relativize(path).toString(), Files.size(path));
            }
        }
        return found;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }

    void close() {
        tier.close();
    }
}
