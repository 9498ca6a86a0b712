package dev.terrace.tier.backup.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Prune;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Golden bytes, and that nothing else is taken for a generation. */
class GenerationFormatTest {
    private static final String HASH = "ab".repeat(32);
    private static final RepositoryKeys KEYS = RepositoryKeys.plain();
    private static final Ref REF = new Ref(7, HASH);
    private static final Roots ROOTS = new Roots(
            List.of(new Roots.Epoch(0, 0), new Roots.Epoch(5, 1_700_000_000_000L)),
            List.of(new Segment(new Ref(2, HASH), new Ref(4, HASH), 10, 20)));
    private static final DeltaRef DELTA = new DeltaRef(
            new BlobRef(Names.delta(3, 5, 9, HASH, Envelope.NONE), 77, HASH), 101, 120, 1_700_000_005_000L);

    private static final Generation SNAPSHOT = new Generation(
            3,
            9,
            HASH,
            1_700_000_001_000L,
            new Snapshot(
                    ROOTS,
                    4,
                    100,
                    1_700_000_000_500L,
                    List.of(new FileRef(
                            "000012.sst",
                            "0123456789abcdef0123456789abcdef",
                            new BlobRef(Names.data(3, 5, HASH, Envelope.NONE), 4096, HASH))),
                    List.of(DELTA)));

    private static String text(Generation generation) {
        return new String(GenerationFormat.encode(generation, SigningKey.PLAIN), StandardCharsets.US_ASCII);
    }

    @Test
    void a_snapshot_is_these_bytes() {
        assertThat(text(SNAPSHOT))
                .isEqualTo("{\"format\":1,\"kind\":\"snapshot\",\"writer\":3,\"number\":9,\"parent\":\"" + HASH
                        + "\",\"at\":1700000001000,\"epochs\":[[0,0],[5,1700000000000]],\"kept\":[[[2,\"" + HASH
                        + "\"],[4,\"" + HASH + "\"],10,20]],\"writers\":4,\"sequence\":100,\"as_of\":1700000000500,"
                        + "\"files\":[[\"000012.sst\",\"0123456789abcdef0123456789abcdef\","
                        + "\"w/000003/data/00000000000000000005/" + HASH + "\",4096,\"" + HASH + "\"]],"
                        + "\"deltas\":[[\"w/000003/delta/00000000000000000005/00000000000000000009-" + HASH + "\",77,\""
                        + HASH + "\",101,120,1700000005000]]}\n"
                        + GOLDEN_SIGNATURE);
    }

    /** RFC 8032 signatures are deterministic. */
    private static final String GOLDEN_SIGNATURE =
            "ed25519 17b87f7934cd70e7 6b3f95780c1b940cb3377d31c64600789947acb2ab3f9749507e157f4532"
                    + "7abb4c3b19501e49acc10df2415099e9fc390f1ac69d446fe53f9b88227284f33c08\n";

    @Test
    void a_delta_and_a_prune_are_these_bytes() {
        assertThat(text(new Generation(3, 10, HASH, 5, new Delta(REF, REF, DELTA))))
                .startsWith("{\"format\":1,\"kind\":\"delta\",\"writer\":3,\"number\":10,\"parent\":\"" + HASH
                        + "\",\"at\":5,\"root\":[7,\"" + HASH + "\"],\"base\":[7,\"" + HASH
                        + "\"],\"delta\":[\"w/000003/delta/")
                .contains(",101,120,1700000005000]}\ned25519 ");
        assertThat(text(new Generation(3, 10, HASH, 5, new Prune(ROOTS, REF))))
                .startsWith("{\"format\":1,\"kind\":\"prune\",\"writer\":3,\"number\":10,\"parent\":\"" + HASH
                        + "\",\"at\":5,\"epochs\":[[0,0],[5,1700000000000]],\"kept\":[[[2,")
                .contains("],10,20]],\"base\":[7,\"" + HASH + "\"]}\ned25519 ");
    }

    @Test
    void all_kinds_are_read_back() throws Exception {
        for (Generation generation : List.of(
                SNAPSHOT,
                new Generation(3, 10, HASH, 5, new Delta(REF, REF, DELTA)),
                new Generation(3, 10, HASH, 5, new Prune(ROOTS, REF)),
                new Generation(1, 1, Ref.NO_HASH, 0, new Snapshot(Roots.NONE, 1, 0, 0, List.of(), List.of())))) {
            byte[] bytes = GenerationFormat.encode(generation, SigningKey.PLAIN);
            assertThat(GenerationFormat.decode(generation.writer(), generation.number(), bytes, KEYS))
                    .isEqualTo(generation);
        }
    }

    @Test
    @Tag("F57")
    void every_flipped_bit_and_every_truncation_is_refused() {
        byte[] bytes = GenerationFormat.encode(SNAPSHOT, SigningKey.PLAIN);
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("GenerationFormatTest: -Dterrace.seed=" + seed);
        Random random = new Random(seed);
        for (int at = 0; at < bytes.length; at++) {
            byte[] flipped = bytes.clone();
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            refused(flipped);
            refused(Arrays.copyOf(bytes, at));
        }
        refused(Arrays.copyOf(bytes, bytes.length + 1));
    }

    private static void refused(byte[] bytes) {
        assertThat(catchThrowable(() -> GenerationFormat.decode(3, 9, bytes, KEYS)))
                .isInstanceOf(DamagedException.class);
    }

    @Test
    @Tag("F57")
    void what_was_published_elsewhere_is_refused_here() {
        byte[] bytes = GenerationFormat.encode(SNAPSHOT, SigningKey.PLAIN);
        assertThatThrownBy(() -> GenerationFormat.decode(3, 10, bytes, KEYS))
                .hasMessageContaining("generation 9 of writer 3, put in another's place");
        assertThatThrownBy(() -> GenerationFormat.decode(2, 9, bytes, KEYS)).isInstanceOf(DamagedException.class);
    }

    @Test
    @Tag("F55")
    void a_key_that_is_not_trusted_is_named() {
        SigningKey stranger = new SigningKey(new byte[32]);
        byte[] bytes = GenerationFormat.encode(SNAPSHOT, stranger);
        assertThatThrownBy(() -> GenerationFormat.decode(3, 9, bytes, KEYS))
                .hasMessageContaining("signed by key " + stranger.id());
    }

    @Test
    void a_later_format_is_named_as_such() {
        String later = "{\"format\":2,\"kind\":\"riddle\"}";
        assertThatThrownBy(() -> GenerationFormat.decode(1, 1, Signed.sign(later, SigningKey.PLAIN), KEYS))
                .hasMessageContaining("written by a later version");
    }

    @Test
    void what_has_two_texts_is_refused() {
        String json = text(SNAPSHOT).lines().findFirst().orElseThrow();
        for (String other : List.of(
                json.replace("\"writer\":3", "\"writer\":03"),
                json.replace("\"writer\":3", "\"writer\": 3"),
                json.replace("000012.sst", "../12.sst"),
                json.replace("000012.sst", "000\\u003012.sst"),
                json.replace("\"number\":9", "\"number\":9999999999999999999"),
                json + " ")) {
            assertThat(other).isNotEqualTo(json);
            refused(Signed.sign(other, SigningKey.PLAIN));
        }
    }

    @Test
    void a_place_is_read_back() {
        Place place = new Place(7, REF, List.of(new Ref(8, HASH), new Ref(9, HASH)));
        assertThat(Place.parse(place.text())).isEqualTo(place);
        assertThat(Place.parse(new Place(1, null, List.of()).text())).isEqualTo(new Place(1, null, List.of()));
        assertThatThrownBy(() -> Place.parse("something\n")).isInstanceOf(IllegalArgumentException.class);
    }
}
