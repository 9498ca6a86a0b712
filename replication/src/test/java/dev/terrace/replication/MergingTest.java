package dev.terrace.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.Replicated.Outcome;
import dev.terrace.spi.ReplicationMode;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Values written without knowing of each other are merged by what the user gave; the example of the documentation. */
class MergingTest {
    private static final long LONG = 10_000_000;

    private static final ConflictResolver UNION = (key, held, offered) -> Stream.of(held, offered)
            .flatMap(value -> new String(value, UTF_8).lines())
            .distinct()
            .sorted()
            .collect(joining("\n"))
            .getBytes(UTF_8);

    private final VirtualZones world = new VirtualZones(3);

    private Node node(Map<String, ConflictResolver> resolvers) {
        Node node = world.node(setup -> setup.with(resolvers));
        world.run(300);
        return node;
    }

    private Replicated put(Node node, @Nullable String value) {
        return world.await(node.tier.write(
                VirtualZones.key("k"), version -> node.entry("k", value, version, LONG), ReplicationMode.ASYNC));
    }

    private @Nullable String read(Node node) {
        // Until all zones have what a majority acknowledged.
        world.run(100);
        return VirtualZones.text(world.await(node.tier.read(VirtualZones.key("k"), ReplicationMode.ASYNC)));
    }

    @Test
    void whatANodeHadNotSeenIsMergedAndItIsToldWhatBecameOfIt() {
        Node one = node(Map.of("c", UNION));
        Node two = node(Map.of("c", UNION));
        assertThat(put(one, "apple").current()).isNull();
        Replicated receipt = put(two, "pear");
        assertThat(receipt.outcome()).isEqualTo(Outcome.ACKNOWLEDGED);
        Entry stored = receipt.current();
        assertThat(stored).isNotNull();
        assertThat(new String(stored.payload(), UTF_8)).isEqualTo("apple\npear");
        assertThat(stored.version()).isEqualTo(receipt.version());
        assertThat(read(one)).isEqualTo("apple\npear");
        assertThat(two.count("replication.writes.merged")).isEqualTo(1);
    }

    @Test
    void whatANodeHasSeenIsReplaced() {
        Node one = node(Map.of("c", UNION));
        Node two = node(Map.of("c", UNION));
        put(one, "apple\npear");
        assertThat(read(two)).isEqualTo("apple\npear");
        assertThat(put(two, "pear").current()).isNull();
        assertThat(read(one)).isEqualTo("pear");
        put(two, "plum");
        assertThat(read(two)).isEqualTo("plum");
    }

    @Test
    void writesAtTheSameMomentLoseNothing() {
        Node one = node(Map.of("c", UNION));
        Node two = node(Map.of("c", UNION));
        for (int round = 0; round < 20; round++) {
            String key = "set" + round;
            var first = add(one, key, "apple");
            var second = add(two, key, "pear");
            // When both stand in each other's way, whoever was not told that it happened says it again.
            while (world.await(first).outcome() != Outcome.ACKNOWLEDGED) {
                first = add(one, key, "apple");
            }
            while (world.await(second).outcome() != Outcome.ACKNOWLEDGED) {
                second = add(two, key, "pear");
            }
            assertThat(one.read(key)).isEqualTo("apple\npear");
        }
    }

    private static CompletionStage<Replicated> add(Node node, String key, String value) {
        return node.tier.write(
                VirtualZones.key(key), version -> node.entry(key, value, version, LONG), ReplicationMode.ASYNC);
    }

    @Test
    void tombstonesAndOtherCachesAreNotMerged() {
        Node one = node(Map.of("c", UNION));
        Node two = node(Map.of("c", UNION));
        put(one, "apple");
        put(two, null);
        assertThat(read(one)).isNull();
        put(one, "plum");
        assertThat(read(two)).isEqualTo("plum");

        Node plain = node(Map.of("other", UNION));
        assertThat(put(plain, "fig").current()).isNull();
        world.run(100);
        assertThat(plain.read("k")).isEqualTo("fig");
    }

    @Test
    void withoutAMajorityAMergingWriteFails() {
        Node one = node(Map.of("c", UNION));
        one.cut(0, true);
        one.cut(1, true);
        assertThat(put(one, "apple").outcome()).isIn(Outcome.FAILED, Outcome.UNKNOWN);
    }
}
