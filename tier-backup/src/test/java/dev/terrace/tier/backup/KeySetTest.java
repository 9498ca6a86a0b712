package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.tier.backup.RingKey.Purpose;
import dev.terrace.tier.backup.RingKey.State;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class KeySetTest {
    private final SecureRandom random = new SecureRandom();

    private KeySet create(long now) {
        return KeySet.create(now, "x", random);
    }

    private static Set<Long> ids(KeySet set) {
        return set.keys().stream().map(RingKey::id).collect(Collectors.toSet());
    }

    private static void isSound(KeySet set) {
        for (Purpose purpose : Purpose.values()) {
            List<RingKey> keys = set.of(purpose);
            assertThat(keys.stream().filter(key -> key.is(State.ACTIVE))).hasSize(1);
            assertThat(keys.stream().map(RingKey::epoch)).doesNotHaveDuplicates();
        }
    }

    @Test
    void aNodeWithKeysOfItsOwnJoinsAFleetAndLosesNone() {
        KeySet fleet = create(1).rotated(Purpose.DATA, 2, "f", random);
        KeySet node = create(3).rotated(Purpose.DATA, 4, "n", random).rotated(Purpose.DATA, 5, "n", random);
        node = node.with(node.freshSubKey(6, random));
        KeySet joined = node.adopting(fleet, true, 7, "n");
        isSound(joined);
        assertThat(ids(joined)).containsAll(ids(fleet)).containsAll(ids(node));
        assertThat(joined.requireActive(Purpose.DATA).id())
                .isEqualTo(fleet.requireActive(Purpose.DATA).id());
        assertThat(joined.requireActive(Purpose.SIGNING).id())
                .isEqualTo(fleet.requireActive(Purpose.SIGNING).id());
        assertThat(joined.requireActive(Purpose.INDEX).id())
                .isEqualTo(node.requireActive(Purpose.INDEX).id());
        assertThat(joined.dataEpoch(1).id()).isEqualTo(fleet.dataEpoch(1).id());
        SubKey own = joined.subKeys().get(0);
        assertThat(own.derive(joined.key(own.keyId()).required())).isNotNull();
        assertThat(joined.adopting(fleet, true, 8, "n").says(joined)).isTrue();
    }

    @Test
    void aNewNodeTakesTheIndexKeyOfTheFleetToo() {
        KeySet fleet = create(1);
        KeySet joined = create(2).adopting(fleet, false, 3, "n");
        isSound(joined);
        assertThat(joined.requireActive(Purpose.INDEX).id())
                .isEqualTo(fleet.requireActive(Purpose.INDEX).id());
    }

    @Test
    void nodesThatRotatedAtTheSameTimeAgreeAfterOneHasJoinedTheOther() {
        KeySet common = create(1);
        KeySet a = common.rotated(Purpose.DATA, 2, "a", random);
        KeySet b = common.rotated(Purpose.DATA, 2, "b", random);
        KeySet ofB = b.adopting(a, true, 3, "b");
        KeySet ofA = a.adopting(ofB, true, 4, "a");
        isSound(ofB);
        assertThat(ofA.says(ofB)).isTrue();
        assertThat(ofA.of(Purpose.DATA)).hasSize(3);
    }

    @Test
    @Tag("F56")
    void whatOneHasDestroyedComesBackFromNobody() {
        KeySet before = create(1).rotated(Purpose.DATA, 2, "x", random);
        KeySet after = before.destroyed(1, 3, "x");
        assertThat(after.dataEpoch(1).secret()).isNull();
        assertThat(after.adopting(before, true, 4, "x").dataEpoch(1).is(State.DESTROYED))
                .isTrue();
        assertThat(before.adopting(after, true, 4, "x").dataEpoch(1).is(State.DESTROYED))
                .isTrue();
    }

    @Test
    void anActiveKeyIsNotDestroyed() {
        KeySet set = create(1);
        assertThat(set.destroyed(1, 2, "x").says(set)).isTrue();
    }

    @Test
    void subKeysOfFilesBroughtTogetherAreAllKept() {
        KeySet a = create(1);
        a = a.with(a.freshSubKey(2, random)).with(a.freshSubKey(3, random));
        KeySet b = a.with(a.freshSubKey(4, random));
        KeySet joined = a.joining(b.subKeys()).joining(b.subKeys());
        assertThat(joined.says(b)).isTrue();
    }
}
