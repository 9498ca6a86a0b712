package dev.terrace.tier.backup.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.BadInputException;
import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import dev.terrace.tier.backup.repo.Problem.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What somebody does to a repository is found, named, and the restore points that it hurts are named too. */
class TamperingTest {
    private static final long HOUR = TimeUnit.HOURS.toMillis(1);

    private final Interleaving alone = new Interleaving(new Random(1), 0);
    private final SimStore store = new SimStore(new Random(1), alone, RepositoryMutant.NONE);
    private final Repository repository = new Repository(store, RepositoryKeys.plain());
    private final SimFolder folder = new SimFolder(1);
    /** By number of the generation. */
    private final List<Long> throughs = new ArrayList<>(List.of(0L));

    private long nowMillis = TimeUnit.DAYS.toMillis(20_000);

    /** Snapshot 1, deltas 2 to 4, snapshot 5, deltas 6 to 8. */
    @BeforeEach
    void twoRestorePoints() throws Exception {
        ChainWriter writer = ChainWriter.open(repository, folder, this::now);
        for (int i = 0; i < 2; i++) {
            put("a", "k" + i);
            throughs.add(snapshot(writer).throughMillis());
            for (int j = 0; j < 3; j++) {
                put("b" + j, "v" + i + j);
                byte[] bytes = folder.delta(folder.sequence() - 1);
                throughs.add(writer.publishDelta(BlobSource.of(bytes), folder.sequence(), nowMillis)
                        .throughMillis());
            }
            nowMillis += HOUR;
        }
    }

    private Instant now() {
        nowMillis += 1000;
        return Instant.ofEpochMilli(nowMillis);
    }

    private void put(String key, String value) {
        folder.put(key, value);
    }

    private ChainState snapshot(ChainWriter writer) throws Exception {
        return writer.publishSnapshot(folder.checkpoint(nowMillis), (files, number, before) -> {
            FileUpload upload = new FileUpload(repository, number, before);
            List<FileRef> refs = new ArrayList<>();
            for (Checkpoint.File file : files) {
                refs.add(upload.bring(file).ref());
            }
            return refs;
        });
    }

    private Verifier.Report verify() throws Exception {
        return new Verifier(repository, 1).verify(blob -> true, read -> {});
    }

    private Problem only(Kind kind) throws Exception {
        List<Problem> found = verify().problems();
        assertThat(found).extracting(Problem::kind).contains(kind);
        return found.stream().filter(one -> one.kind() == kind).findFirst().orElseThrow();
    }

    private static String gen(long number) {
        return Names.generation(1, number);
    }

    @Test
    void an_untouched_one_is_sound_and_unchanged_files_are_sent_once() throws Exception {
        Verifier.Report report = verify();
        assertThat(report.problems()).isEmpty();
        assertThat(report.points()).isEqualTo(2);
        assertThat(report.generations()).isEqualTo(8);
        assertThat(report.blobsRead()).isEqualTo(report.blobs());
        assertThat(store.blobs.keySet().stream().filter(name -> name.contains("/data/")))
                .as("three files and CURRENT, of which the second snapshot changed at most three")
                .hasSizeLessThanOrEqualTo(7);
    }

    @Test
    @Tag("F57")
    void an_edited_generation_is_named_and_hurts_what_follows_it() throws Exception {
        edit(gen(7), bytes -> bytes[40] ^= 1);
        Problem problem = only(Kind.BAD_SIGNATURE);
        assertThat(problem.blob()).isEqualTo(gen(7));
        assertThat(problem.hurts()).singleElement().asString().startsWith("1:5 after ");
    }

    @Test
    @Tag("F57")
    void generations_that_are_swapped_or_duplicated_are_named() throws Exception {
        byte[] six = store.blobs.get(gen(6));
        store.blobs.put(gen(6), store.blobs.get(gen(7)));
        store.blobs.put(gen(7), six);
        assertThat(verify().problems())
                .extracting(Problem::kind, Problem::blob)
                .contains(
                        org.assertj.core.groups.Tuple.tuple(Kind.WRONG_PLACE, gen(6)),
                        org.assertj.core.groups.Tuple.tuple(Kind.WRONG_PLACE, gen(7)));
    }

    @Test
    @Tag("F57")
    void an_omitted_generation_of_a_closed_segment_is_named() throws Exception {
        store.blobs.remove(gen(3));
        Problem problem = only(Kind.MISSING);
        assertThat(problem.blob()).isEqualTo(gen(3));
        assertThat(problem.hurts()).singleElement().asString().startsWith("1:1 after ");
    }

    @Test
    @Tag("F57")
    void deltas_whose_blobs_are_swapped_lost_or_cut_are_named_with_what_they_hurt() throws Exception {
        List<String> deltas = store.blobs.keySet().stream()
                .filter(name -> name.contains("/delta/"))
                .toList();
        byte[] first = store.blobs.get(deltas.get(0));
        store.blobs.put(deltas.get(0), store.blobs.get(deltas.get(1)));
        store.blobs.put(deltas.get(1), first);
        edit(deltas.get(5), bytes -> bytes[bytes.length - 1] ^= 1);
        store.blobs.remove(deltas.get(4));
        store.blobs.put(deltas.get(3), new byte[1]);
        List<Problem> problems = verify().problems();
        assertThat(problems)
                .extracting(Problem::blob)
                .containsExactlyInAnyOrder(deltas.get(0), deltas.get(1), deltas.get(3), deltas.get(4), deltas.get(5));
        assertThat(problems).allSatisfy(problem -> assertThat(problem.hurts()).hasSize(1));
        assertThat(problems).anySatisfy(problem -> assertThat(problem.hurts()).containsExactly("1:5"));
    }

    @Test
    @Tag("F51")
    void a_lost_file_names_every_restore_point_that_needs_it() throws Exception {
        String shared = store.blobs.keySet().stream()
                .filter(name -> name.endsWith(Sha256.of("1\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII))))
                .findFirst()
                .orElseThrow();
        store.blobs.remove(shared);
        Problem problem = only(Kind.MISSING);
        assertThat(problem.blob()).isEqualTo(shared);
        assertThat(problem.hurts()).containsExactly("1:1", "1:5");
    }

    @Test
    @Tag("F51")
    void a_sample_still_finds_what_is_gone_or_has_another_length() throws Exception {
        String some = store.blobs.keySet().stream()
                .filter(name -> name.contains("/data/"))
                .findFirst()
                .orElseThrow();
        edit(some, bytes -> bytes[0] ^= 1);
        assertThat(new Verifier(repository, 1).verify(blob -> false, read -> {}).problems())
                .isEmpty();
        store.blobs.put(some, new byte[1000]);
        assertThat(new Verifier(repository, 1).verify(blob -> false, read -> {}).problems())
                .extracting(Problem::kind)
                .containsExactly(Kind.WRONG_LENGTH);
    }

    @Test
    @Tag("F57")
    void a_writer_that_is_taken_out_of_the_registry_is_missed() throws Exception {
        ChainWriter second = ChainWriter.open(repository, new SimFolder(2), this::now);
        snapshot(second);
        snapshot(ChainWriter.open(repository, folder, this::now));
        store.blobs.remove(Names.registered(2));
        Problem problem = only(Kind.MISSING);
        assertThat(problem.blob()).isEqualTo(Names.registered(2));
        assertThat(problem.hurts()).containsExactly("all restore points of writer 2");
    }

    @Test
    @Tag("F57")
    void a_lost_entry_of_the_registry_hides_nobody_and_nobody_takes_its_number() throws Exception {
        store.blobs.remove(Names.registered(1));
        assertThat(writers()).as("its backups are there").isEqualTo(1);
        assertThat(only(Kind.MISSING).blob()).isEqualTo(Names.registered(1));
        ChainWriter second = ChainWriter.open(repository, new SimFolder(2), this::now);
        assertThat(second.writer()).as("even by an old listing").isEqualTo(2);
        snapshot(second);
        assertThat(writers()).isEqualTo(2);
        store.blobs.remove(Names.registered(2));
        store.blobs.put(Names.keys(7), new byte[1]);
        assertThat(writers()).as("whose keys came, and nothing else yet").isEqualTo(7);
        alone.undisturbed(() -> assertThat(ChainWriter.open(repository, new SimFolder(3), this::now)
                        .writer())
                .isEqualTo(8));
        assertThat(writers()).as("behind what was lost").isEqualTo(8);
    }

    /** By listings that do not lag. */
    private int writers() throws Exception {
        AtomicInteger writers = new AtomicInteger();
        alone.undisturbed(() -> writers.set(repository.writers()));
        return writers.get();
    }

    @Test
    @Tag("F57")
    void an_older_state_of_the_whole_repository_is_seen_by_an_anchor_by_who_expects_and_by_the_writer()
            throws Exception {
        TreeMap<String, byte[]> before = new TreeMap<>(store.blobs);
        ChainWriter writer = ChainWriter.open(repository, folder, this::now);
        Ref head = snapshot(writer).head();
        SimStore second = new SimStore(new Random(1), alone, RepositoryMutant.NONE);
        Anchor anchor = new Anchor(second, RepositoryKeys.plain());
        anchor.drop(1, head);
        Chain chain = repository.chain(1);
        assertThat(Freshness.of(chain, head, anchor.read(1).orElseThrow(), null).state())
                .isEqualTo(Freshness.State.VERIFIED);

        store.blobs.clear();
        store.blobs.putAll(before);

        assertThat(verify().problems()).as("nothing in it says so").isEmpty();
        Ref older = chain.load().orElseThrow().head();
        assertThat(Freshness.of(chain, older, null, null).detail()).startsWith("freshness unverified");
        assertThat(Freshness.of(chain, older, anchor.read(1).orElseThrow(), null)
                        .state())
                .isEqualTo(Freshness.State.ROLLED_BACK);
        assertThat(Freshness.of(chain, older, null, head.number()).state()).isEqualTo(Freshness.State.ROLLED_BACK);
        assertThatThrownBy(() -> ChainWriter.open(repository, folder, this::now))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("put back to an older state");
    }

    @Test
    void a_prune_keeps_by_policy_and_gives_the_rest_back() throws Exception {
        ChainWriter writer = ChainWriter.open(repository, folder, this::now);
        for (int i = 0; i < 40; i++) {
            nowMillis += HOUR;
            put("k", "" + i);
            snapshot(writer);
        }
        Chain chain = repository.chain(1);
        Pruner pruner = new Pruner(repository, chain, this::now);
        PrunePlan plan = PrunePlan.of(chain.load().orElseThrow(), new KeepPolicy(3, 2));
        assertThat(plan.staying())
                .as("three hours, and the end of the day before")
                .hasSizeBetween(3, 5);
        Pruner.Removed survey = pruner.survey(plan, 0);
        int before = store.blobs.size();
        Pruner.Removed removed = pruner.execute(plan, 0);
        assertThat(removed.blobs()).isGreaterThan(40);
        assertThat(survey).as("a dry run says what will be").isEqualTo(removed);
        assertThat(store.blobs).hasSize((int) (before - removed.blobs()) + 2);
        assertThat(store.discardedBeforeMillis)
                .as("uploads that died, which no listing shows")
                .isEqualTo(nowMillis);
        assertThat(verify().problems()).isEmpty();
        assertThat(chain.load().orElseThrow().segments())
                .extracting(Segment::first)
                .isEqualTo(plan.staying().stream().map(Segment::first).toList());
        snapshot(writer);
        assertThat(verify().problems()).isEmpty();
    }

    @Test
    @Tag("F80")
    void an_empty_policy_is_refused() {
        assertThatThrownBy(() -> new KeepPolicy(0, 0))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("keep is empty");
    }

    private void edit(String name, Consumer<byte[]> change) {
        byte[] bytes = store.blobs.get(name).clone();
        change.accept(bytes);
        store.blobs.put(name, bytes);
    }

    @Test
    @Tag("F51")
    void theNewestWholeStateIsTheOneBeforeWhatIsLost() throws Exception {
        Set<BlobRef> onlySecond = files(5);
        onlySecond.removeAll(files(1));
        assertThat(whole(null).lost()).isEmpty();
        assertThat(through(whole(null))).isEqualTo(through(8));
        store.blobs.remove(blob(7));
        assertThat(through(whole(null))).isEqualTo(through(6));
        assertThat(whole(null).lost()).singleElement().asString().contains(blob(7));
        edit(gen(6), bytes -> bytes[40] ^= 1);
        assertThat(through(whole(null))).isEqualTo(through(5));
        edit(onlySecond.iterator().next().name(), bytes -> bytes[0] ^= 1);
        assertThat(through(whole(null))).isEqualTo(through(4));
        store.blobs.remove(gen(8));
        assertThat(through(whole(null))).isEqualTo(through(4));
        assertThat(whole(Instant.ofEpochMilli(through(3))).state().deltas()).hasSize(2);
        store.blobs.remove(blob(2));
        assertThat(through(whole(null))).isEqualTo(through(1));
        store.blobs.remove(gen(1));
        assertThat(whole(null).state()).isNull();
        assertThat(whole(null).lost()).isNotEmpty();
    }

    private Chain chain() {
        return repository.chain(1);
    }

    private Set<BlobRef> files(int number) throws Exception {
        Snapshot snapshot =
                (Snapshot) chain().read(number).orElseThrow().generation().content();
        return snapshot.files().stream().map(FileRef::blob).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private WholeState.Found whole(@Nullable Instant asOf) throws Exception {
        return WholeState.newest(repository, 1, asOf, read -> {});
    }

    private static long through(WholeState.Found found) {
        return Objects.requireNonNull(found.state()).segment().throughMillis();
    }

    /** As it was before anything was lost. */
    private long through(int number) {
        return throughs.get(number);
    }

    private String blob(int number) throws Exception {
        Generation.Delta delta = (Generation.Delta)
                chain().read(number).orElseThrow().generation().content();
        return delta.delta().blob().name();
    }
}
