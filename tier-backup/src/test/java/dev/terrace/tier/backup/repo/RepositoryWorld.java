package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A folder that is backed up, a copy of it that thinks it is the same, two processes that prune, one that reads; all killed and
 * stalled at any step. Rules: what can be restored equals the history of a folder; nothing that was acknowledged as shipped is lost; no
 * generation names a blob that is not there; nothing that a prune dropped comes back.
 */
final class RepositoryWorld {
    private record Shipped(int writer, int lineage, long sequence) {}

    private final Random random;
    private final RepositoryMutant mutant;
    private final Interleaving steps;
    private final SimStore store;
    private final Map<Integer, SimFolder> lineages = new HashMap<>();
    private final List<Shipped> shipped = new ArrayList<>();
    private final Set<String> dropped = new HashSet<>();
    private long nowMillis = TimeUnit.DAYS.toMillis(20_000);
    private int values;
    int fenced;
    int pruned;
    int killed;

    RepositoryWorld(long seed, RepositoryMutant mutant) {
        this.random = new Random(seed);
        this.mutant = mutant;
        this.steps = new Interleaving(random, 0.05 + random.nextDouble() * 0.3);
        this.store = new SimStore(random, steps, mutant);
        if (random.nextBoolean()) {
            store.killing = random.nextDouble() * 0.01;
            store.failing = random.nextDouble() * 0.05;
        }
    }

    /** Lives a while. Returns what rule was broken, or null. */
    @Nullable
    String run(ExecutorService threads) throws Exception {
        SimFolder folder = newLineage(null);
        steps.undisturbed(() -> {
            ChainWriter writer = ChainWriter.open(repository(), folder, this::tick);
            for (int i = 0; i < 2; i++) {
                ship(folder, writer, true);
                ship(folder, writer, false);
            }
        });
        steps.add(() -> backUp(folder, 2 + random.nextInt(4)));
        steps.add(() -> {
            for (int i = random.nextInt(12); i > 0; i--) {
                steps.step();
            }
            backUp(newLineage(folder), 1 + random.nextInt(3));
        });
        steps.add(() -> prune(1 + random.nextInt(2)));
        steps.add(() -> prune(1 + random.nextInt(2)));
        steps.add(() -> {
            for (int i = random.nextInt(2); i > 0; i--) {
                steps.step();
                check();
            }
        });
        Throwable failure = steps.run(threads);
        if (failure == null) {
            try {
                steps.undisturbed(this::check);
            } catch (Exception | AssertionError e) {
                failure = e;
            }
        }
        return failure == null ? null : failure.toString();
    }

    private Instant tick() {
        nowMillis += TimeUnit.MINUTES.toMillis(random.nextInt(40));
        return Instant.ofEpochMilli(nowMillis);
    }

    private SimFolder newLineage(@Nullable SimFolder of) {
        int lineage = lineages.size() + 1;
        SimFolder folder = of == null ? new SimFolder(lineage) : of.copy(lineage);
        lineages.put(lineage, folder);
        return folder;
    }

    private Repository repository() {
        return new Repository(store, new RepositoryKeys(QUICK, List.of()));
    }

    /** Signs with a hash: these processes do not forge, and Ed25519 would be most of what a world costs. */
    private static final SigningKey QUICK = new SigningKey(new byte[32]) {
        @Override
        byte[] sign(byte[] message) {
            byte[] hash = Sha256.digest().digest(message);
            byte[] signature = Arrays.copyOf(hash, SIGNATURE_BYTES);
            System.arraycopy(hash, 0, signature, hash.length, hash.length);
            return signature;
        }

        @Override
        boolean verifies(byte[] message, byte[] signature) {
            return Arrays.equals(sign(message), signature);
        }
    };

    private void backUp(SimFolder folder, int times) throws Exception {
        int left = times;
        for (int life = 0; life < 12 && left > 0; life++) {
            try {
                ChainWriter writer = ChainWriter.open(repository(), folder, this::tick);
                while (left > 0) {
                    left--;
                    ship(folder, writer, random.nextInt(3) == 0);
                }
            } catch (SimStore.Killed e) {
                killed++;
            } catch (FencedException e) {
                fenced++;
                reRegister(folder);
            } catch (BlobException e) {
                steps.step(); // Tried again, as a job would.
            }
        }
    }

    private void reRegister(SimFolder folder) throws Exception {
        try {
            ChainWriter.register(repository(), folder, this::tick);
        } catch (SimStore.Killed e) {
            killed++;
        } catch (BlobException e) {
            steps.step();
        }
    }

    private void ship(SimFolder folder, ChainWriter writer, boolean snapshot) throws Exception {
        for (int i = random.nextInt(4); i >= 0; i--) {
            folder.put("k" + random.nextInt(6), "v" + values++);
        }
        ChainState after;
        if (snapshot || writer.state() == null) {
            Checkpoint checkpoint = folder.checkpoint(nowMillis);
            after = writer.publishSnapshot(checkpoint, (files, number, before) -> {
                FileUpload upload = new FileUpload(repository(), number, before);
                List<FileRef> refs = new ArrayList<>();
                for (Checkpoint.File file : files) {
                    refs.add(upload.bring(file).ref());
                    if (random.nextInt(4) == 0 && before != null) {
                        folder.put("k" + random.nextInt(6), "v" + values++);
                        delta(folder, writer);
                    }
                }
                return refs;
            });
        } else {
            after = delta(folder, writer);
        }
        shipped.add(new Shipped(writer.writer(), folder.lineage, after.toSequence()));
    }

    private ChainState delta(SimFolder folder, ChainWriter writer)
            throws BlobException, DamagedException, IOException, FencedException {
        ChainState state = writer.refresh();
        byte[] bytes = folder.delta(state == null ? 0 : state.toSequence());
        ChainState after = writer.publishDelta(BlobSource.of(bytes), folder.sequence(), nowMillis);
        shipped.add(new Shipped(writer.writer(), folder.lineage, after.toSequence()));
        return after;
    }

    private void prune(int times) throws Exception {
        for (int i = 0; i < times; i++) {
            Repository repository = repository();
            try {
                Chain chain = repository.chain(1 + random.nextInt(Math.max(1, repository.writers())));
                Pruner pruner = new Pruner(repository, chain, this::tick);
                ChainState state = chain.load().orElse(null);
                if (state == null) {
                    continue;
                }
                PrunePlan plan = PrunePlan.of(state, new KeepPolicy(1 + random.nextInt(2), random.nextInt(2)));
                long grace = TimeUnit.MINUTES.toMillis(random.nextInt(3) * 120L);
                if (mutant == RepositoryMutant.NONE) {
                    pruner.execute(plan, grace);
                } else {
                    executeWrongly(chain, pruner, plan, grace);
                }
                plan.going().forEach(going -> dropped.add(going.first().hash()));
                pruned += plan.going().isEmpty() ? 0 : 1;
            } catch (SimStore.Killed e) {
                killed++;
            } catch (BlobException e) {
                steps.step();
            }
        }
    }

    private void executeWrongly(Chain chain, Pruner pruner, PrunePlan plan, long grace) throws Exception {
        if (mutant == RepositoryMutant.DELETE_BEFORE_PUBLISHING) {
            Roots roots = new Roots(
                    plan.state().roots().epochs(),
                    plan.staying().subList(0, plan.staying().size() - 1));
            pruner.sweep(Living.of(chain, plan.state(), roots), true);
        }
        ChainState state = pruner.publish(plan, grace);
        if (mutant != RepositoryMutant.NO_BOUNDARY) {
            chain.boundary().raise(state.base().number());
        }
        Roots roots = state.roots();
        if (mutant == RepositoryMutant.OPEN_EPOCHS_COLLECTED) {
            roots = new Roots(
                    roots.epochs()
                            .subList(roots.epochs().size() - 1, roots.epochs().size()),
                    roots.kept());
        }
        pruner.sweep(Living.of(chain, state, roots), true);
    }

    /** All rules, at one moment. */
    private void check() throws Exception {
        steps.undisturbed(() -> {
            Repository repository = repository();
            for (int writer = 1; writer <= repository.writers(); writer++) {
                Verifier.Report report = new Verifier(repository, writer).verify(blob -> true, read -> {});
                if (!report.problems().isEmpty()) {
                    throw new AssertionError(report.problems().toString());
                }
                Chain chain = repository.chain(writer);
                ChainState state = chain.load().orElse(null);
                if (state != null) {
                    for (Segment segment : state.segments()) {
                        if (dropped.contains(segment.first().hash())) {
                            throw new AssertionError("pruned, and back: " + segment);
                        }
                        restore(chain, segment);
                    }
                }
                nothingLost(writer, state);
            }
        });
    }

    private void nothingLost(int writer, @Nullable ChainState state) {
        for (Shipped one : shipped) {
            if (one.writer() == writer) {
                if (state == null || state.toSequence() < one.sequence()) {
                    throw new AssertionError("shipped and lost: " + one);
                }
            }
        }
    }

    /** Restores every moment of a segment and compares with the folder's history; what was shipped must be in it. */
    private void restore(Chain chain, Segment segment) throws Exception {
        Snapshot snapshot = chain.snapshot(segment.first());
        Map<String, String> held = new TreeMap<>();
        int lineage = 0;
        for (FileRef file : snapshot.files()) {
            String content = text(file.blob());
            if (file.file().equals("CURRENT")) {
                lineage = Integer.parseInt(content.trim());
            } else {
                content.lines().forEach(line -> set(held, line));
            }
        }
        compare(lineage, snapshot.sequence(), held);
        long sequence = snapshot.sequence();
        for (DeltaRef delta : snapshot.deltas()) {
            sequence = apply(held, sequence, delta);
            lineage = lineageOf(delta);
        }
        for (long number = segment.first().number() + 1;
                number <= segment.last().number();
                number++) {
            if (chain.read(number).orElseThrow().generation().content() instanceof Delta delta) {
                sequence = apply(held, sequence, delta.delta());
                lineage = lineageOf(delta.delta());
            }
        }
        for (Shipped one : shipped) {
            if (one.writer() == chain.writer() && one.sequence() <= sequence) {
                compareHistories(one, lineage);
            }
        }
    }

    private void compareHistories(Shipped one, int lineage) {
        if (!history(one.lineage(), one.sequence()).equals(history(lineage, one.sequence()))) {
            throw new AssertionError("shipped and overwritten by a copy: " + one + ", now lineage " + lineage);
        }
    }

    private String history(int lineage, long sequence) {
        StringBuilder all = new StringBuilder();
        folder(lineage)
                .history
                .subList(0, (int) sequence)
                .forEach(change ->
                        all.append(change[0]).append('=').append(change[1]).append(' '));
        return all.toString();
    }

    private SimFolder folder(int lineage) {
        SimFolder folder = lineages.get(lineage);
        if (folder == null) {
            throw new AssertionError("nobody's history: " + lineage);
        }
        return folder;
    }

    private int lineageOf(DeltaRef delta) {
        return Integer.parseInt(text(delta.blob()).lines().findFirst().orElseThrow());
    }

    private long apply(Map<String, String> held, long from, DeltaRef delta) throws Exception {
        List<String> lines = text(delta.blob()).lines().toList();
        long sequence = from;
        for (String line : lines.subList(1, lines.size())) {
            int space = line.indexOf(' ');
            long number = Long.parseLong(line.substring(0, space));
            if (number > sequence) {
                if (number != sequence + 1) {
                    throw new AssertionError("a gap before " + number + " after " + sequence);
                }
                set(held, line.substring(space + 1));
                sequence = number;
            }
        }
        if (sequence != Math.max(from, delta.toSequence())) {
            throw new AssertionError("ends at " + sequence + " and says " + delta.toSequence());
        }
        compare(Integer.parseInt(lines.get(0)), sequence, held);
        return sequence;
    }

    private void compare(int lineage, long sequence, Map<String, String> held) {
        if (!folder(lineage).at(sequence).equals(held)) {
            throw new AssertionError(
                    "restored " + held + " instead of " + folder(lineage).at(sequence));
        }
    }

    private static void set(Map<String, String> held, String line) {
        int equals = line.indexOf('=');
        held.put(line.substring(0, equals), line.substring(equals + 1));
    }

    private String text(BlobRef blob) {
        byte[] bytes = store.blobs.get(blob.name());
        if (bytes == null) {
            throw new AssertionError("dangling: " + blob.name());
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
