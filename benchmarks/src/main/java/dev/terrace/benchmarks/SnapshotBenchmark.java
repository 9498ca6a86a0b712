package dev.terrace.benchmarks;

import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.RocksTierProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * What snapshots of a running L3 cost: how long a put takes at the longest while one is taken, beside the same time without; how much is sent after
 * one entry in a hundred has changed, by deltas and by the next snapshot, again and again, so that compactions come. The repository is a folder.
 *
 * <p>Arguments: entries (1000000), rounds of one in a hundred (12), puts per second meanwhile (2000). Values are JSON of about 1 KiB.
 */
public final class SnapshotBenchmark {
    private static final int PAIRS = 4;
    private static final Duration LONGEST = Duration.ofMinutes(2);
    private static final Duration SETTLE = Duration.ofSeconds(1);

    private final int entries;
    private final int perSecond;
    private final Path repository;
    private final Path tables;
    private final TestContext context;
    private final Tier tier;
    private final BackupShipper shipper;
    private final SplittableRandom random = new SplittableRandom(4711);
    private int documents;

    private SnapshotBenchmark(Path home, int entries, int perSecond) throws IOException {
        this.entries = entries;
        this.perSecond = perSecond;
        this.documents = entries;
        this.repository = home.resolve("repository");
        BackupStorageSettings settings = BackupFolder.settings(home, true)
                .withObjectStorage(ObjectStorageSettings.of(repository.toUri()))
                .withSchedule(new BackupSchedule(Duration.ofSeconds(1), Duration.ofDays(1), 24, 7));
        this.tables = settings.path().resolve("db");
        this.context = new TestContext(InstantSource.system(), settings);
        this.tier = new RocksTierProvider().open(context);
        this.shipper = (BackupShipper) tier;
    }

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        int entries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 12;
        int perSecond = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 2_000;
        try (Scratch scratch = Scratch.make("snapshot")) {
            SnapshotBenchmark benchmark = new SnapshotBenchmark(scratch.path(), entries, perSecond);
            try {
                benchmark.run(rounds);
            } finally {
                benchmark.tier.close();
            }
        }
    }

    private void run(int rounds) throws Exception {
        BackupFolder.fill(tier, entries, Documents::document);
        Targets targets = new Targets();
        snapshot();
        double each = (double) bytes(tables) / entries;
        System.out.printf("%,d entries, %.1f bytes each in files; %s%n", entries, each, Figures.load());
        amplification(rounds, each, targets);
        stalls(targets);
        targets.print("Snapshots of " + entries + " entries");
    }

    private long sent() {
        return context.metrics().counter("l3.backup.bytes").getCount();
    }

    private void snapshot() {
        String trouble = shipper.snapshot().toCompletableFuture().join();
        if (!trouble.isEmpty()) {
            throw new IllegalStateException("no snapshot: " + trouble);
        }
    }

    /** Of the files of entries, each entry being in one of them. */
    private static long bytes(Path tables) throws IOException {
        long bytes = 0;
        try (Stream<Path> all = Files.list(tables)) {
            for (Path file : all.filter(one -> one.toString().endsWith(".sst")).toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    private List<Path> data() throws IOException {
        try (Stream<Path> all = Files.walk(repository)) {
            return all.filter(file -> file.toString().contains("/data/") && Files.isRegularFile(file))
                    .toList();
        }
    }

    private void amplification(int rounds, double each, Targets targets) {
        int changed = entries / 100;
        double deltas = 0;
        double worstDelta = 0;
        double snapshots = 0;
        double worst = 0;
        double first = 0;
        for (int round = 1; round <= rounds; round++) {
            long before = sent();
            change(changed);
            await();
            double delta = (sent() - before) / (changed * each);
            before = sent();
            snapshot();
            double snapshot = (sent() - before) / (changed * each);
            System.out.printf(
                    "1 %% changed, round %d: deltas %.2f, snapshot %.2f times the changed bytes%n",
                    round, delta, snapshot);
            deltas += delta / rounds;
            worstDelta = Math.max(worstDelta, delta);
            snapshots += snapshot / rounds;
            worst = Math.max(worst, snapshot);
            first = round == 1 ? snapshot : first;
        }
        targets.atMost("deltas to changed bytes, worst round", worstDelta, 1.2);
        targets.note("deltas to changed bytes, mean", deltas);
        targets.atMost("next snapshot to changed bytes, first round", first, 3);
        targets.atMost("next snapshot to changed bytes, mean of " + rounds + " rounds", snapshots, 3);
        targets.note("next snapshot to changed bytes, worst round", worst);
    }

    private void change(int count) {
        List<CompletableFuture<List<StoreOutcome>>> underWay = new ArrayList<>();
        for (int from = 0; from < count; from += BackupFolder.BATCH) {
            List<Entry> batch = new ArrayList<>();
            for (int i = from; i < Math.min(count, from + BackupFolder.BATCH); i++) {
                batch.add(BackupFolder.entry(random.nextInt(entries), Documents.document(documents++)));
            }
            underWay.add(tier.putAll(batch).toCompletableFuture());
            if (underWay.size() % 32 == 0) {
                underWay.get(underWay.size() - 32).join();
            }
        }
        underWay.forEach(one -> BackupFolder.requireApplied(one.join()));
    }

    /** Until all that was written is in deltas. */
    private void await() {
        long written = System.currentTimeMillis();
        Pace.await(() -> report().deltaMillis() > written || report().throughMillis() > written, LONGEST);
        if (report().throughMillis() <= written) {
            throw new IllegalStateException("no delta within " + LONGEST + ": " + report().trouble());
        }
    }

    private BackupReport report() {
        BackupReport report = shipper.backup();
        if (report == null) {
            throw new IllegalStateException("it ships nowhere");
        }
        return report;
    }

    /** Puts one by one at a steady rate, with and without a whole snapshot of all entries, by turns and for the same time. */
    private void stalls(Targets targets) throws Exception {
        double with = 0;
        double without = 0;
        for (int pair = 1; pair <= PAIRS; pair++) {
            for (Path file : data()) {
                Files.delete(file); // So that the whole is sent again.
            }
            Pace.rest(SETTLE);
            AtomicBoolean over = new AtomicBoolean();
            CompletableFuture<long[]> puts = CompletableFuture.supplyAsync(() -> put(over, Long.MAX_VALUE));
            long begin = System.nanoTime();
            long before = sent();
            snapshot();
            long took = System.nanoTime() - begin;
            over.set(true);
            long[] during = puts.join();
            long[] quiet = put(new AtomicBoolean(), took);
            System.out.printf(
                    "pair %d: a snapshot of %,d bytes took %.1f s; longest put %.1f ms with it (p99.9 %.1f), %.1f ms without (p99.9 %.1f); %s%n",
                    pair,
                    sent() - before,
                    took / 1e9,
                    longest(during),
                    p999(during),
                    longest(quiet),
                    p999(quiet),
                    Figures.load());
            with = Math.max(with, longest(during));
            without = Math.max(without, longest(quiet));
        }
        targets.atMost("longest put while a snapshot is taken, ms", with, 50);
        targets.note("longest put without, ms", without);
    }

    private static double longest(long[] sorted) {
        return sorted[sorted.length - 1] / 1e6;
    }

    private static double p999(long[] sorted) {
        return Figures.at(sorted, 0.999) / 1e3;
    }

    /** Nanoseconds from when each put was due until it was in the log, sorted. */
    private long[] put(AtomicBoolean over, long nanos) {
        SplittableRandom which = new SplittableRandom(documents);
        List<CompletableFuture<Long>> all = new ArrayList<>();
        long begin = System.nanoTime();
        for (int i = 0; !over.get() && System.nanoTime() - begin < nanos; i++) {
            long due = begin + i * 1_000_000_000L / perSecond;
            Pace.until(due);
            all.add(tier.putAll(List.of(BackupFolder.entry(which.nextInt(entries), Documents.document(i))))
                    .thenApply(outcomes -> {
                        BackupFolder.requireApplied(outcomes);
                        return System.nanoTime() - due;
                    })
                    .toCompletableFuture());
        }
        return all.stream().mapToLong(CompletableFuture::join).sorted().toArray();
    }
}
