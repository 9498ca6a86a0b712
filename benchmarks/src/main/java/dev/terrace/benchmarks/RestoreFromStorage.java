package dev.terrace.benchmarks;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.Tier;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Restores L3 from an S3 server ({@link StorageServer}, another process) beside bare parallel GETs of the same objects, by the JDK's HTTP client and by
 * the store's own streams, and until the folder serves. Rounds take turns. With a third argument {@code merge}, merges it (a chosen cache) beside putting
 * every entry into an empty folder.
 *
 * <p>Arguments: entries (1000000), rounds (5), {@code merge}. Values are JSON of about 1 KiB.
 */
public final class RestoreFromStorage {
    private static final int GETS_AT_ONCE = 4;
    private static final int PROBES = 10_000;
    private static final int BATCH = 256;
    private static final int BUFFER_BYTES = 1 << 17;

    private final InstantSource clock = InstantSource.system();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Path home;
    private final int entries;
    private final BackupStorageSettings settings;
    private final URI bucket;

    private RestoreFromStorage(Path home, int entries, URI endpoint) throws IOException {
        this.home = home;
        this.entries = entries;
        this.bucket = endpoint.resolve("/" + StorageServer.BUCKET + "/l3/");
        this.settings = BackupFolder.settings(home, true).withObjectStorage(at(endpoint));
    }

    private static ObjectStorageSettings at(URI endpoint) {
        ObjectStorageSettings plain = ObjectStorageSettings.of(URI.create("s3://" + StorageServer.BUCKET + "/l3"));
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
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        boolean merges = arguments.length > 2 && arguments[2].equals("merge");
        try (Scratch scratch = Scratch.make("restore");
                StorageServer server = StorageServer.start()) {
            new RestoreFromStorage(scratch.path(), entries, server.endpoint()).run(rounds, merges);
        }
    }

    private TestContext context(BackupStorageSettings of) {
        ObjectStorageSettings storage = of.objectStorage();
        return storage == null ? new TestContext(clock, of) : new TestContext(clock, of, storage);
    }

    private Tier open(Path folder) {
        return new RocksTierProvider().open(context(settings.withPath(folder).withObjectStorage(null)));
    }

    private void run(int rounds, boolean merges) throws Exception {
        long begin = System.nanoTime();
        try (Tier tier = open(settings.path())) {
            BackupFolder.fill(tier, entries, Documents::document);
        }
        System.out.printf("wrote %,d entries in %.1f s%n", entries, seconds(begin));
        begin = System.nanoTime();
        OfflineBackup.snapshot(settings, context(settings));
        System.out.printf("snapshot took %.1f s%n", seconds(begin));
        ObjectStorageSettings storage = settings.objectStorage();
        if (storage == null) {
            throw new IllegalStateException("no storage");
        }
        List<Double> bare = new ArrayList<>();
        List<Double> streams = new ArrayList<>();
        List<Double> restores = new ArrayList<>();
        List<Double> serving = new ArrayList<>();
        try (BlobStore store = BackupRepository.open(storage.url(), context(settings))) {
            for (int round = 1; round <= rounds; round++) {
                bare.add(allAtOnce(store, this::plainGet));
                streams.add(allAtOnce(store, blob -> stream(store, blob)));
                restore(store, round, restores, serving);
                System.out.printf(
                        "round %d: bare GETs %,.0f, the store's streams %,.0f, restore %,.0f MiB/s; %,d random reads after %.1f s; %s%n",
                        round, last(bare), last(streams), last(restores), PROBES, last(serving), Figures.load());
            }
            if (merges) {
                merge(store);
            }
        }
        Targets targets = new Targets();
        targets.atLeast("restore to bare GETs, medians", median(restores) / median(bare), 0.6);
        targets.note("restore to the store's own streams, medians", median(restores) / median(streams));
        targets.note("first restore of a process to bare GETs, median", restores.get(0) / median(bare));
        targets.atMost(
                String.format("seconds until %,d entries serve, longest", entries),
                serving.stream().mapToDouble(one -> one).max().orElseThrow(),
                30);
        targets.note("peak resident MiB, without the server", peakMib());
        targets.print("Restore");
    }

    private static double last(List<Double> all) {
        return all.get(all.size() - 1);
    }

    private static double median(List<Double> all) {
        return all.stream().sorted().toList().get(all.size() / 2);
    }

    /** Reads one object and forgets it. */
    private interface Get {
        void of(BlobStore.Stat blob) throws Exception;
    }

    /** MiB per second. */
    private static double allAtOnce(BlobStore store, Get get) throws Exception {
        List<BlobStore.Stat> blobs = new ArrayList<>();
        String after = null;
        do {
            BlobStore.Page page = store.list("", after, 1_000);
            blobs.addAll(page.blobs());
            after = page.next();
        } while (after != null);
        ExecutorService pool = Executors.newFixedThreadPool(GETS_AT_ONCE);
        long begin = System.nanoTime();
        try {
            List<Future<?>> all = new ArrayList<>();
            for (BlobStore.Stat blob : blobs) {
                all.add(pool.submit(() -> {
                    get.of(blob);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            pool.shutdown();
        }
        return blobs.stream().mapToLong(BlobStore.Stat::bytes).sum() / seconds(begin) / (1 << 20);
    }

    private void plainGet(BlobStore.Stat blob) throws IOException, InterruptedException {
        HttpResponse<InputStream> answer = http.send(
                HttpRequest.newBuilder(bucket.resolve(blob.name())).build(), HttpResponse.BodyHandlers.ofInputStream());
        requireAll(blob, answer.body());
    }

    private static void stream(BlobStore store, BlobStore.Stat blob) throws Exception {
        requireAll(blob, store.open(blob.name(), 0, blob.bytes()));
    }

    private static void requireAll(BlobStore.Stat blob, InputStream body) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        long read = 0;
        try (InputStream in = body) {
            for (int more = in.read(buffer); more >= 0; more = in.read(buffer)) {
                read += more;
            }
        }
        if (read != blob.bytes()) {
            throw new IllegalStateException(blob + " has " + read + " bytes");
        }
    }

    private void restore(BlobStore store, int round, List<Double> rates, List<Double> serving) throws Exception {
        Path into = home.resolve("into-" + round);
        long begin = System.nanoTime();
        Restore.Report report =
                new Restore(store, settings, context(settings), into).run(null, entry -> true, true, done -> {});
        rates.add(report.bytes() / seconds(begin) / (1 << 20));
        try (Tier tier = open(into)) {
            SplittableRandom random = new SplittableRandom(round);
            for (int i = 0; i < PROBES; i++) {
                CacheKey key = BackupFolder.key(random.nextInt(entries));
                if (!(tier.get(key).toCompletableFuture().get(30, TimeUnit.SECONDS) instanceof Lookup.Hit)) {
                    throw new IllegalStateException("lost " + key);
                }
            }
            serving.add(seconds(begin));
        }
        Scratch.delete(into);
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
                .run(null, entry -> entry.key().cache().equals(BackupFolder.CACHE), false, done -> {})
                .merged();
        double sorted = Math.max(0.001, seconds(begin) - download);
        Scratch.delete(chosen);
        Tier source = open(whole);
        Tier target = open(home.resolve("puts"));
        begin = System.nanoTime();
        List<Entry> batch = new ArrayList<>(BATCH);
        long[] put = new long[1];
        ((ScannableTier) source).scan(entry -> {
            batch.add(entry);
            if (batch.size() == BATCH) {
                put[0] += putAll(target, batch);
            }
            return true;
        });
        put[0] += putAll(target, batch);
        target.close();
        double puts = seconds(begin);
        source.close();
        System.out.printf(
                "merge by sorted files: %,.0f entries/s (%,d); by puts: %,.0f entries/s (%,d); %.1fx; %s%n",
                merged / sorted, merged, put[0] / puts, put[0], merged / sorted * puts / put[0], Figures.load());
    }

    private static int putAll(Tier target, List<Entry> batch) {
        int count = batch.size();
        BackupFolder.requireApplied(
                target.putAll(List.copyOf(batch)).toCompletableFuture().join());
        batch.clear();
        return count;
    }

    private static double seconds(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    /** Of this process; 0 where the system does not say. */
    private static double peakMib() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToDouble(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024.0)
                    .findFirst()
                    .orElse(0);
        }
    }
}
