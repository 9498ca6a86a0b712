package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.RestoreReport;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.History.Event;
import dev.terrace.tier.backup.History.Part;
import dev.terrace.tier.backup.repo.Chain;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.PrunePlan;
import dev.terrace.tier.backup.repo.Pruner;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.Segment;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** Some folders of L3, their repository on a disk, and everything that happens to them, by chance from a seed. For one thread. */
final class ModelWorld implements AutoCloseable {
    private static final long HOUR = TimeUnit.HOURS.toMillis(1);

    private final Path home;
    private final Random random;
    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final long beginMillis = clock.millis();
    private final BackupStorageSettings like;
    private final BlobStore store;
    private final List<ModelWriter> writers = new ArrayList<>();
    /** What each writer of the repository has shipped. */
    private final Map<Integer, Part> shipped = new TreeMap<>();

    private final List<String> told = new ArrayList<>();
    private int restores;
    private int refusals;
    private boolean live;

    ModelWorld(Path home, long seed) throws Exception {
        this.home = Files.createDirectories(home);
        this.random = new Random(seed);
        BackupStorageSettings plain = Backups.shipped(Backups.plain(home));
        if (random.nextBoolean()) {
            Path key = Files.writeString(home.resolve("kek"), "5c".repeat(32));
            plain = Backups.shipped(Backups.withPassphrase(home))
                    .withKey(null, "terrace", null, "file", key.toString());
        }
        this.like = plain;
        this.store = BackupRepository.open(home.resolve("repository").toUri(), new TestContext(clock, like));
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            writers.add(new ModelWriter(
                    home.resolve("writer-" + i), clock, like, new Script(random.nextLong(), 0x7E50 + i)));
        }
        if (random.nextInt(3) == 0) {
            tell("trains a dictionary");
            writers.get(0).train();
        }
        tell((like.encryption() ? "encrypted" : "plain") + ", writers: " + count);
    }

    ManualClock clock() {
        return clock;
    }

    /** From now on every restore goes on under a tier that serves. */
    ModelWorld live() {
        live = true;
        return this;
    }

    int restores() {
        return restores;
    }

    int refusals() {
        return refusals;
    }

    private void tell(String what) {
        told.add((clock.millis() - beginMillis) + ": " + what);
    }

    /** What has happened, for whoever has to find out why. */
    String story() {
        return String.join("\n", told);
    }

    void round() throws Exception {
        ModelWriter writer = writers.get(random.nextInt(writers.size()));
        write(writer);
        happen(writer);
        pass();
        restore(live || random.nextInt(4) == 0 ? null : moment());
        if (random.nextInt(6) == 0) {
            verify();
        }
    }

    private void write(ModelWriter writer) {
        int many = 2 + random.nextInt(9);
        for (int i = 0; i < many; i++) {
            writer.write();
            clock.advance(Duration.ofMillis(random.nextInt(3)));
        }
    }

    private void pass() {
        int what = random.nextInt(20);
        clock.advance(
                what == 0
                        ? Duration.ofHours(1 + random.nextInt(9))
                        : what < 4
                                ? Duration.ofMinutes(random.nextInt(90))
                                : Duration.ofMillis(random.nextInt(10_000)));
    }

    /** Any, or one right at a change or right before it, where a restore that is off by one would show. */
    private Instant moment() {
        List<Part> parts = List.copyOf(shipped.values());
        List<Event> events = parts.isEmpty()
                ? List.of()
                : parts.get(random.nextInt(parts.size())).events();
        if (!events.isEmpty() && random.nextInt(3) > 0) {
            int back = (int) (Math.pow(random.nextDouble(), 2) * events.size());
            return Instant.ofEpochMilli(events.get(events.size() - 1 - back).atMillis() - random.nextInt(2));
        }
        long ago = (long) (Math.pow(random.nextDouble(), 3) * (clock.millis() - beginMillis + 10));
        return Instant.ofEpochMilli(clock.millis() - ago);
    }

    private int numberOf(ModelWriter writer) {
        return writers.indexOf(writer);
    }

    private void happen(ModelWriter writer) throws Exception {
        int what = random.nextInt(100);
        String name = "writer " + numberOf(writer) + " with " + writer.history().size() + " events ";
        if (what < 45) {
            tell(name + "ships");
            ship(writer, false);
        } else if (what < 60) {
            tell(name + "takes a snapshot");
            ship(writer, true);
        } else if (what < 68) {
            prune();
        } else if (what < 76) {
            tell(name + "dies shipping");
            dieShipping(writer);
        } else if (what < 82) {
            tell(name + "dies");
            writer.crash();
        } else if (what < 86) {
            tell(name + "is restarted");
            writer.reopen();
        } else if (what < 90) {
            ship(writer, random.nextBoolean());
            write(writer);
            ship(writer, false);
            write(writer);
            writer.losePower(1 + random.nextInt(random.nextBoolean() ? 300 : 3_000));
            tell(name + "loses power, and keeps " + writer.history().size());
            write(writer);
            ship(writer, false);
        } else if (what < 93) {
            goBack(writer);
        } else if (what < 96 && like.encryption()) {
            tell(name + "rotates keys");
            writer.rotate(random.nextBoolean() ? "data" : "signing");
        } else {
            tell("writers ship");
            for (ModelWriter each : writers) {
                ship(each, false);
            }
        }
    }

    private void goBack(ModelWriter writer) throws Exception {
        Path copy = writer.keepCopy();
        History then = writer.history().prefix(writer.history().size());
        write(writer);
        if (random.nextBoolean()) {
            ship(writer, random.nextBoolean());
        }
        write(writer);
        tell("writer " + numberOf(writer) + " is put back to " + then.size() + " of "
                + writer.history().size());
        writer.goBackTo(copy, then);
        write(writer);
    }

    void ship(ModelWriter writer, boolean snapshot) throws Exception {
        ChainState state = writer.ship(store, snapshot);
        shipped.put(state.writer(), writer.history().part(writer.history().size()));
    }

    /** What it has published before it died is not known; the next one finds out. */
    private void dieShipping(ModelWriter writer) throws Exception {
        DyingStore dying = new DyingStore(store);
        dying.dieAfter(random.nextInt(random.nextBoolean() ? 4 : 14), random.nextBoolean());
        writer.forgetRepository();
        try {
            writer.ship(dying, random.nextBoolean());
        } catch (Exception | Error e) {
            assertThat(e).as("only the death").hasStackTraceContaining(DyingStore.Death.class.getName());
        }
        writer.crash();
        mayHaveShipped(writer);
        restore(null);
        ship(writer, false);
    }

    /** Everything that {@code writer} has is perhaps in its chain, and what was there before certainly. */
    void mayHaveShipped(ModelWriter writer) throws Exception {
        int count = new BackupRepository(store, like, clock).writers();
        List<Event> all = writer.history().part(0).events();
        for (int number = 1; number <= count; number++) {
            Part before = shipped.get(number);
            if (before == null) {
                shipped.put(number, writer.history().part(0));
            } else if (number == writer.place()
                    && before.most() <= all.size()
                    && before.events().equals(all.subList(0, before.events().size()))) {
                shipped.put(number, writer.history().part(before.least()));
            }
        }
    }

    private void prune() throws Exception {
        BackupRepository repository = new BackupRepository(store, like, clock);
        for (int number : shipped.keySet()) {
            Repository of = repository.of(number);
            ChainState state = of.chain(number).load().orElse(null);
            if (state != null) {
                KeepPolicy keep = new KeepPolicy(1 + random.nextInt(3), random.nextInt(2));
                PrunePlan plan = PrunePlan.of(state, keep);
                long grace = random.nextBoolean() ? 0 : 24 * HOUR;
                Pruner.Removed removed = new Pruner(of, of.chain(number), clock).execute(plan, grace);
                tell("writer " + number + " of the repository is pruned by " + keep + ", points going: "
                        + plan.going().size() + ", blobs: " + removed.blobs());
            }
        }
    }

    private void verify() throws Exception {
        BackupRepository repository = new BackupRepository(store, like, clock);
        for (int number : shipped.keySet()) {
            assertThat(new Verifier(repository.of(number), number)
                            .verify(blob -> true, read -> {})
                            .problems())
                    .isEmpty();
        }
    }

    /** Restores, and compares what is there with every history that there may have been. */
    void restore(@Nullable Instant asOf) throws Exception {
        List<Part> parts = new ArrayList<>();
        boolean covered = covered(asOf, parts);
        if (live) {
            restoreLive(parts);
            return;
        }
        String only = random.nextInt(8) == 0 ? "quotes" : null;
        Path into = home.resolve("into");
        Folders.delete(into);
        tell("restore of " + (asOf == null ? "the newest" : asOf.toEpochMilli() - beginMillis) + " of " + parts.size()
                + " writers" + (only == null ? "" : ", only " + only));
        try {
            new Restore(store, like, new TestContext(clock, like), into)
                    .run(asOf, entry -> only == null || entry.key().cache().equals(only), only == null, done -> {});
        } catch (SetupException e) {
            assertThat(covered).as("refused: " + e.getMessage()).isFalse();
            refusals++;
            return;
        }
        assertThat(covered).as("restored what no restore point holds").isTrue();
        restores++;
        compare(into, parts, only);
    }

    /** Whether every writer that had begun by then has that moment; with what each has. */
    private boolean covered(@Nullable Instant asOf, List<Part> parts) throws Exception {
        BackupRepository repository = new BackupRepository(store, like, clock);
        long at = asOf == null ? Long.MAX_VALUE : asOf.toEpochMilli();
        boolean covered = true;
        for (Map.Entry<Integer, Part> one : shipped.entrySet()) {
            Chain chain = repository.of(one.getKey()).chain(one.getKey());
            ChainState state = chain.load().orElse(null);
            List<Segment> segments = state == null ? List.of() : state.segments();
            int chosen = -1;
            for (int i = 0; i < segments.size(); i++) {
                chosen = segments.get(i).asOfMillis() <= at ? i : chosen;
            }
            if (chosen >= 0) {
                covered &= chosen == segments.size() - 1
                        || at <= segments.get(chosen).throughMillis();
                Part all = one.getValue();
                parts.add(new Part(all.events(), all.least(), all.most(), at));
            }
        }
        return covered && !parts.isEmpty();
    }

    /** Every key is asked for before it is back, and the process ends in the middle, while writers go on. */
    private void restoreLive(List<Part> published) throws Exception {
        if (published.isEmpty()) {
            return;
        }
        List<Part> parts = published;
        boolean writersGoOn = random.nextBoolean();
        if (writersGoOn) {
            for (ModelWriter each : writers) {
                ship(each, false); // From now on each goes on with the chain that it has.
            }
            parts = new ArrayList<>();
            covered(null, parts);
        }
        Path into = home.resolve("into");
        Folders.delete(into);
        BackupStorageSettings settings = like.withPath(into)
                .withObjectStorage(
                        ObjectStorageSettings.of(home.resolve("repository").toUri()))
                .withRestore(BackupStorageSettings.RestoreOnStart.IF_EMPTY);
        tell("live restore of " + parts.size() + " writers" + (writersGoOn ? ", which go on" : ""));
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        try {
            for (int ends = random.nextInt(3); ends > 0; ends--) {
                read(tier, CacheKey.of("quotes", "k" + random.nextInt(14)));
                awaitParts(tier, random.nextInt(2 * RestoreNote.PARTS));
                tier.close();
                // What was done before the process ended stays as it was then.
                if (writersGoOn && Files.exists(into.resolve(RestoreNote.FILE))) {
                    goOn();
                    parts = new ArrayList<>();
                    covered(null, parts);
                }
                tier = Backups.open(new TestContext(clock, settings));
            }
            if (random.nextInt(4) > 0) {
                judge(tier, parts, null);
            }
            RocksTier now = tier;
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> {
                        RestoreReport report = now.restore();
                        assertThat(report == null ? "" : report.trouble()).isEmpty();
                        return report == null || report.state() == RestoreReport.State.DONE;
                    });
            judge(tier, parts, null);
            restores++;
        } finally {
            tier.close();
        }
        Folders.delete(into);
    }

    private static void awaitParts(RocksTier tier, int count) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> {
                    RestoreReport report = tier.restore();
                    return report == null || report.partsDone() >= Math.min(count, report.parts() - 1);
                });
    }

    /** What a restore that has begun does not know yet. */
    private void goOn() throws Exception {
        for (ModelWriter writer : writers) {
            tell("writer " + numberOf(writer) + " goes on");
            write(writer);
            ship(writer, random.nextBoolean());
            write(writer);
            ship(writer, false);
        }
        if (random.nextBoolean()) {
            prune();
        }
        pass();
    }

    private void compare(Path into, List<Part> parts, @Nullable String only) throws IOException {
        RocksTier restored =
                Backups.open(new TestContext(clock, like.withPath(into).withObjectStorage(null)));
        try {
            judge(restored, parts, only);
        } finally {
            restored.close();
        }
        Folders.delete(into);
    }

    private void judge(RocksTier restored, List<Part> parts, @Nullable String only) {
        History.Judge judge = new History.Judge(clock.millis(), like.retention().toMillis());
        String wrong = "nothing was compared";
        for (int missing = 0; wrong != null && missing <= spread(parts); missing++) {
            List<Map<CacheKey, Event>> states = new ArrayList<>();
            for (Part part : parts) {
                states.add(part.state(Math.max(part.least(), part.most() - missing)));
            }
            Map<CacheKey, Event> expected = new HashMap<>(History.merged(states));
            expected.keySet()
                    .removeIf(key -> only != null
                            && !key.cache().equals(only)
                            && !key.cache().startsWith("terrace."));
            String differs = judge.differs(expected, key -> read(restored, key), Script.universe());
            wrong = differs == null || missing == 0 ? differs : wrong;
        }
        assertThat(wrong).isNull();
    }

    private static int spread(List<Part> parts) {
        return parts.stream().mapToInt(part -> part.most() - part.least()).max().orElse(0);
    }

    private static @Nullable Entry read(RocksTier tier, CacheKey key) {
        Lookup found = Backups.await(tier.get(key));
        for (int tries = 0; tries < 10 && found instanceof Lookup.Unavailable; tries++) {
            found = Backups.await(tier.get(key)); // Each waits for what it needs, as long as its patience lasts.
        }
        assertThat(found).as(key.toString()).isNotInstanceOf(Lookup.Unavailable.class);
        return found instanceof Lookup.Hit hit ? hit.entry() : null;
    }

    @Override
    public void close() {
        writers.forEach(ModelWriter::close);
        store.close();
    }
}
