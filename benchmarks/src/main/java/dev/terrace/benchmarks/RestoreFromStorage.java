package dev.terrace.benchmarks;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.s3.S3Server;
import dev.terrace.tier.backup.BackupRepository;
import dev.terrace.tier.backup.OfflineBackup;
import dev.terrace.tier.backup.Restore;
import dev.terrace.tier.backup.RocksTierProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Restores L3 from an S3 server (s3proxy, in this process) beside bare parallel GETs of the same objects, and until the folder serves; and merges it
 * (a chosen cache) beside putting every entry into an empty folder. Rounds take turns.
 *
 * <p>Arguments: entries (1000000), rounds (3), folder for files (a temporary one). Values are JSON of about 1 KiB.
 */
public final class RestoreFromStorage {
    private static final String CACHE = "quotes";
    private static final int BATCH = 500;
    private static final int GETS_AT_ONCE = 4;
    private static final int PROBES = 10_000;
    private static final Duration TTL = Duration.ofDays(1);

    private final InstantSource clock = InstantSource.system();
    private final Path home;
    private final int entries;
    private final BackupStorageSettings settings;

    private RestoreFromStorage(Path home, int entries, URI endpoint) throws IOException {
        this.home = home;
        this.entries = entries;
        Path key = Files.writeString(home.resolve("kek"), "0123456789abcdef".repeat(4));
        ObjectStorageSettings bucket = ObjectStorageSettings.of(URI.create("s3://bench/l3"));
        this.settings = new BackupStorageSettings(
                        true,
                        BackupStorageSettings.Backend.FILESYSTEM,
                        home.resolve("l3"),
                        true,
                        true,
                        null,
                        "terrace",
                        new Secret("unused"),
                        TTL,
                        false,
                        Duration.ofSeconds(30),
                        10_000,
                        64)
                .withKey(null, "terrace", null, "file", key.toString())
                .withObjectStorage(at(bucket, endpoint));
    }

    private static ObjectStorageSettings at(ObjectStorageSettings plain, URI endpoint) {
        return new ObjectStorageSettings(
                plain.url(),
                endpoint,
                "us-east-1",
                true,
                ObjectStorageSettings.Credentials.STATIC,
                new Secret(S3Server.ACCESS_KEY),
                new Secret(S3Server.SECRET_KEY),
                null,
                null,
                plain.encryption(),
                null,
                null,
                List.of(),
                plain.timeout(),
                plain.parallel(),
                plain.partMib(),
                0);
    }

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        int entries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
        Path home = arguments.length > 2
                ? Files.createDirectories(Path.of(arguments[2]))
                : Files.createTempDirectory("terrace-restore");
        try (S3Server server = S3Server.start()) {
            HttpResponse<Void> made = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(server.endpoint().resolve("/bench"))
                                    .PUT(HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            HttpResponse.BodyHandlers.discarding());
            if (made.statusCode() != 200) {
                throw new IllegalStateException("no bucket: " + made.statusCode());
            }
            new RestoreFromStorage(home, entries, server.endpoint()).run(rounds);
        } finally {
            delete(home.resolve("l3"));
        }
    }

    private TestContext context(BackupStorageSettings of) {
        ObjectStorageSettings storage = of.objectStorage();
        return storage == null ? new TestContext(clock, of) : new TestContext(clock, of, storage);
    }

    private Tier open(Path folder) {
        return new RocksTierProvider().open(context(settings.withPath(folder).withObjectStorage(null)));
    }

    private void run(int rounds) throws Exception {
        long begin = System.nanoTime();
        Tier tier = open(settings.path());
        fill(tier);
        tier.close();
        System.out.printf("wrote %,d entries in %.1f s%n", entries, seconds(begin));
        begin = System.nanoTime();
        OfflineBackup.snapshot(settings, context(settings));
        System.out.printf("snapshot took %.1f s%n", seconds(begin));
        ObjectStorageSettings storage = settings.objectStorage();
        if (storage == null) {
            throw new IllegalStateException("no storage");
        }
        try (BlobStore store = BackupRepository.open(storage.url(), context(settings))) {
            for (int round = 1; round <= rounds; round++) {
                double bare = bare(store);
                restore(store, round, bare);
            }
            merge(store);
        }
        System.out.println(Figures.load() + ", peak resident " + peakMib() + " MiB with the server and its objects");
    }

    private void fill(Tier tier) throws InterruptedException, ExecutionException {
        SplittableRandom random = new SplittableRandom(4711);
        List<Entry> batch = new ArrayList<>(BATCH);
        for (int i = 0; i < entries; i++) {
            batch.add(entry(i, random));
            if (batch.size() == BATCH || i == entries - 1) {
                store(tier, batch);
                batch.clear();
            }
        }
    }

    private static void store(Tier tier, List<Entry> batch) throws InterruptedException, ExecutionException {
        for (StoreOutcome outcome :
                tier.putAll(List.copyOf(batch)).toCompletableFuture().get()) {
            if (!(outcome instanceof StoreOutcome.Applied)) {
                throw new IllegalStateException("not stored: " + outcome);
            }
        }
    }

    private Entry entry(int i, SplittableRandom random) {
        long now = clock.millis();
        StringBuilder json = new StringBuilder(1_100)
                .append("{\"id\":")
                .append(i)
                .append(",\"symbol\":\"S")
                .append(random.nextInt(5_000))
                .append('"');
        for (int field = 0; json.length() < 1_000; field++) {
            json.append(",\"field_number_")
                    .append(field)
                    .append("\":{\"amount\":")
                    .append(random.nextInt(1_000_000))
                    .append(",\"currency\":\"EUR\",\"venue\":\"venue ")
                    .append(random.nextInt(50))
                    .append("\"}");
        }
        byte[] payload = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
        long until = now + TTL.toMillis();
        return new Entry(
                key(i), EntryKind.VALUE, Version.of(now, i % 60_000, 7), now, until, until, List.of(), payload);
    }

    private static CacheKey key(int i) {
        return CacheKey.of(CACHE, "key-" + i);
    }

    /** MiB per second of reading all objects and forgetting them. */
    private double bare(BlobStore store) throws Exception {
        List<BlobStore.Stat> blobs = new ArrayList<>();
        String after = null;
        do {
            BlobStore.Page page = store.list("", after, 1_000);
            blobs.addAll(page.blobs());
            after = page.next();
        } while (after != null);
        ExecutorService pool = Executors.newFixedThreadPool(GETS_AT_ONCE);
        long begin = System.nanoTime();
        long bytes = 0;
        try {
            List<Future<Long>> all = new ArrayList<>();
            for (BlobStore.Stat blob : blobs) {
                all.add(pool.submit(() -> {
                    byte[] buffer = new byte[1 << 17];
                    long read = 0;
                    try (InputStream in = store.open(blob.name(), 0, blob.bytes())) {
                        for (int more = in.read(buffer); more >= 0; more = in.read(buffer)) {
                            read += more;
                        }
                    }
                    return read;
                }));
            }
            for (Future<Long> one : all) {
                bytes += one.get();
            }
        } finally {
            pool.shutdown();
        }
        return bytes / seconds(begin) / (1 << 20);
    }

    private void restore(BlobStore store, int round, double bare) throws Exception {
        Path into = home.resolve("into-" + round);
        long begin = System.nanoTime();
        Restore.Report report =
                new Restore(store, settings, context(settings), into).run(null, entry -> true, true, done -> {});
        double took = seconds(begin);
        double rate = report.bytes() / took / (1 << 20);
        Tier tier = open(into);
        SplittableRandom random = new SplittableRandom(round);
        for (int i = 0; i < PROBES; i++) {
            CacheKey key = key(random.nextInt(entries));
            if (!(tier.get(key).toCompletableFuture().get(30, TimeUnit.SECONDS) instanceof Lookup.Hit)) {
                throw new IllegalStateException("lost " + key);
            }
        }
        double serving = seconds(begin);
        tier.close();
        delete(into);
        System.out.printf(
                "round %d: bare GETs %,.0f MiB/s, restore %,.0f MiB/s (%.2fx, %,d MiB in %.1f s), %,d random reads right after %.1f s; %s%n",
                round, bare, rate, rate / bare, report.bytes() >> 20, took, PROBES, serving, Figures.load());
    }

    /** The same entries, chosen: what a merge costs on top of the download; and the way by puts. */
    private void merge(BlobStore store) throws Exception {
        Path whole = home.resolve("whole");
        long begin = System.nanoTime();
        new Restore(store, settings, context(settings), whole).run(null, entry -> true, true, done -> {});
        double download = seconds(begin);
        Path chosen = home.resolve("chosen");
        begin = System.nanoTime();
        long merged = new Restore(store, settings, context(settings), chosen)
                .run(null, entry -> entry.key().cache().equals(CACHE), false, done -> {})
                .merged();
        double sorted = Math.max(0.001, seconds(begin) - download);
        delete(chosen);
        Tier source = open(whole);
        Tier target = open(home.resolve("puts"));
        begin = System.nanoTime();
        List<Entry> batch = new ArrayList<>(256);
        long[] put = new long[1];
        ((ScannableTier) source).scan(entry -> {
            batch.add(entry);
            if (batch.size() == 256) {
                put[0] += batch.size();
                try {
                    store(target, batch);
                } catch (InterruptedException | ExecutionException e) {
                    throw new IllegalStateException(e);
                }
                batch.clear();
            }
            return true;
        });
        store(target, batch);
        put[0] += batch.size();
        target.close();
        double puts = seconds(begin);
        source.close();
        delete(home.resolve("puts"));
        delete(whole);
        System.out.printf(
                "merge by sorted files: %,.0f entries/s (%,d); by puts: %,.0f entries/s (%,d); %.1fx; %s%n",
                merged / sorted, merged, put[0] / puts, put[0], merged / sorted * puts / put[0], Figures.load());
    }

    private static double seconds(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    private static String peakMib() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return "?";
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .map(line -> Long.toString(Long.parseLong(line.replaceAll("\\D", "")) >> 10))
                    .findFirst()
                    .orElse("?");
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> tree = Files.walk(folder)) {
            all = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}
