package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which zones hold a key, and how few of those places change when zones come and go. */
class PlacementTest {
    private static final int KEYS = 50_000;

    private final VirtualTime time = new VirtualTime();

    private List<Replica> zones(int count) {
        List<Replica> zones = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SimZone zone = new SimZone("zone-" + i, time, 0, Set.of());
            SimLink link = new SimLink(time, new java.util.SplittableRandom(1), zone, 0, 100);
            zones.add(new SimReplica(zone, link, time, 10, 0));
        }
        return zones;
    }

    private static CacheKey key(int number) {
        return CacheKey.of("c", "key-" + number);
    }

    @Test
    void aNewZoneGetsItsShareAndNothingElseMoves() {
        List<Replica> zones = zones(5);
        Placement before = new Placement(zones.subList(0, 4), Map.of(), 3);
        Placement after = new Placement(zones, Map.of(), 3);
        int moved = 0;
        for (int i = 0; i < KEYS; i++) {
            Set<Replica> held = new HashSet<>(before.of(key(i)));
            List<Replica> now = after.of(key(i));
            List<Replica> gained =
                    now.stream().filter(zone -> !held.contains(zone)).toList();
            assertThat(gained).isSubsetOf(zones.get(4));
            assertThat(now.stream().filter(held::contains).count()).isGreaterThanOrEqualTo(2);
            moved += gained.size();
        }
        double ideal = KEYS * 3 / 5.0;
        System.out.println("PlacementTest moved " + moved + " copies of " + 3 * KEYS + ", ideal " + (long) ideal);
        assertThat(moved / ideal).isBetween(0.98, 1.02);
    }

    @Test
    void aZoneThatLeavesGivesItsShareAwayAndNothingElseMoves() {
        List<Replica> zones = zones(5);
        Placement before = new Placement(zones, Map.of(), 3);
        Placement after = new Placement(zones.subList(0, 4), Map.of(), 3);
        int moved = 0;
        for (int i = 0; i < KEYS; i++) {
            Set<Replica> held = new HashSet<>(before.of(key(i)));
            long gained = after.of(key(i)).stream()
                    .filter(zone -> !held.contains(zone))
                    .count();
            assertThat(gained).isEqualTo(held.contains(zones.get(4)) ? 1 : 0);
            moved += (int) gained;
        }
        assertThat(moved / (KEYS * 3 / 5.0)).isBetween(0.98, 1.02);
    }

    @Test
    void sharesFollowTheWeights() {
        List<Replica> zones = zones(4);
        Placement placement = new Placement(zones, Map.of("zone-3", 3.0), 1);
        int heavy = 0;
        for (int i = 0; i < KEYS; i++) {
            heavy += placement.of(key(i)).contains(zones.get(3)) ? 1 : 0;
        }
        assertThat(heavy / (double) KEYS).isBetween(0.48, 0.52);
    }

    /** The proof of the joint majorities, for every set of zones that may be missing. */
    @Test
    void whateverIsEnoughInBothHasAMajorityOfEither() {
        for (int zoneCount = 2; zoneCount <= 7; zoneCount++) {
            for (int copies = 1; copies <= Math.min(5, zoneCount - 1); copies++) {
                check(zones(zoneCount), copies, Set.of("zone-0"), Set.of());
                check(zones(zoneCount), copies, Set.of(), Set.of("zone-0"));
                if (copies < zoneCount - 1) {
                    check(zones(zoneCount), copies, Set.of("zone-0"), Set.of("zone-1"));
                    check(
                            zones(zoneCount),
                            copies,
                            Set.of(),
                            Set.of("zone-0", "zone-1").stream()
                                    .limit(zoneCount - copies)
                                    .collect(java.util.stream.Collectors.toSet()));
                }
            }
        }
    }

    private static void check(List<Replica> zones, int copies, Set<String> joining, Set<String> leaving) {
        Placement joint = new Placement(zones, Map.of(), copies, joining, leaving);
        joint.join();
        Placement old = new Placement(
                zones.stream().filter(zone -> !joining.contains(zone.zone())).toList(), Map.of(), copies);
        Placement next = new Placement(
                zones.stream().filter(zone -> !leaving.contains(zone.zone())).toList(), Map.of(), copies);
        for (int i = 0; i < 30; i++) {
            Placement.Holders both = joint.holders(key(i));
            Placement.Holders before = old.holders(key(i));
            Placement.Holders after = next.holders(key(i));
            assertThat(both.zones()).containsAll(before.zones()).containsAll(after.zones());
            int all = both.zones().size();
            for (int group = 0; group < 1 << all; group++) {
                if (Integer.bitCount(group) == both.required()) {
                    Set<Replica> chosen = new HashSet<>();
                    for (int zone = 0; zone < all; zone++) {
                        if ((group >> zone & 1) == 1) {
                            chosen.add(both.zones().get(zone));
                        }
                    }
                    assertThat(before.zones().stream().filter(chosen::contains).count())
                            .isGreaterThanOrEqualTo(before.required());
                    assertThat(after.zones().stream().filter(chosen::contains).count())
                            .isGreaterThanOrEqualTo(after.required());
                }
            }
        }
    }
}
