package dev.terrace.tier.backup;

import dev.terrace.tier.backup.RingKey.Purpose;
import dev.terrace.tier.backup.RingKey.State;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a ring in the clear and the sub-keys made from them. Immutable: every change is another set, and none
 * touches a disk.
 *
 * @param keys of every purpose, by epoch
 * @param subKeys oldest first
 */
record KeySet(List<RingKey> keys, List<SubKey> subKeys) {
    /** More than this many epochs of one purpose is a loop somewhere, not a policy. */
    static final int MOST_EPOCHS = 10_000;

    KeySet {
        keys = List.copyOf(keys);
        subKeys = List.copyOf(subKeys);
    }

    /** One active key of every purpose. */
    static KeySet create(long nowMillis, String by, SecureRandom random) {
        return new KeySet(List.of(), List.of()).completed(nowMillis, by, random);
    }

    /** With a key of every purpose there is none of: rings of former builds had fewer purposes. */
    KeySet completed(long nowMillis, String by, SecureRandom random) {
        KeySet all = this;
        for (Purpose purpose : Purpose.values()) {
            if (all.active(purpose) == null) {
                all = all.rotated(purpose, nowMillis, by, random);
            }
        }
        return all;
    }

    /** The key that new things use; null only in sets that were not {@linkplain #completed completed}. */
    @Nullable
    RingKey active(Purpose purpose) {
        return of(purpose).stream()
                .filter(key -> key.is(State.ACTIVE))
                .findFirst()
                .orElse(null);
    }

    /** As {@link #active}, of a set that is complete. */
    RingKey requireActive(Purpose purpose) {
        RingKey key = active(purpose);
        if (key == null) {
            throw new IllegalStateException("the ring has no " + purpose + " key");
        }
        return key;
    }

    /** All keys of a purpose, by epoch. */
    List<RingKey> of(Purpose purpose) {
        return keys.stream().filter(key -> key.purpose() == purpose).toList();
    }

    @Nullable
    RingKey key(long id) {
        return keys.stream().filter(key -> key.id() == id).findFirst().orElse(null);
    }

    /** The data key that people call by this number. */
    @Nullable
    RingKey dataEpoch(int epoch) {
        return of(Purpose.DATA).stream()
                .filter(key -> key.epoch() == epoch)
                .findFirst()
                .orElse(null);
    }

    private int lastEpoch(Purpose purpose) {
        return of(purpose).stream().mapToInt(RingKey::epoch).max().orElse(0);
    }

    /** A new active key of that purpose; the one before is retired. */
    KeySet rotated(Purpose purpose, long nowMillis, String by, SecureRandom random) {
        int epoch = lastEpoch(purpose) + 1;
        if (epoch > MOST_EPOCHS) {
            throw new IllegalStateException("a ring holds at most " + MOST_EPOCHS + " epochs");
        }
        byte[] secret = new byte[Hkdf.KEY_BYTES];
        random.nextBytes(secret);
        KeySet retired = map(
                key -> key.purpose() == purpose && key.is(State.ACTIVE) ? key.in(State.RETIRED, nowMillis, by) : key);
        List<RingKey> all = new ArrayList<>(retired.keys);
        all.add(RingKey.of(purpose, epoch, nowMillis, by, secret));
        return new KeySet(all, subKeys);
    }

    /** Without the key of that data epoch, which must not be active; what it sealed cannot be read again. */
    KeySet destroyed(int epoch, long nowMillis, String by) {
        return map(key -> key.purpose() == Purpose.DATA && key.epoch() == epoch && key.is(State.RETIRED)
                ? key.in(State.DESTROYED, nowMillis, by)
                : key);
    }

    private KeySet map(UnaryOperator<RingKey> change) {
        return new KeySet(keys.stream().map(change).toList(), subKeys);
    }

    /** With one more sub-key. */
    KeySet with(SubKey fresh) {
        List<SubKey> all = new ArrayList<>(subKeys);
        all.add(fresh);
        return new KeySet(keys, all);
    }

    /** With this sub-key marked as one that seals nothing more; with {@code null}, all of them. */
    KeySet ended(@Nullable SubKey which, long nowMillis) {
        return new KeySet(
                keys,
                subKeys.stream()
                        .map(key -> key.endedMillis() == 0 && (which == null || which.id() == key.id())
                                ? key.ended(nowMillis)
                                : key)
                        .toList());
    }

    /** With all sub-keys that have ended doing so now. */
    KeySet endedAnew(long nowMillis) {
        return new KeySet(
                keys,
                subKeys.stream()
                        .map(key -> key.endedMillis() == 0 ? key : key.ended(nowMillis))
                        .toList());
    }

    /** Without sub-keys that ended before {@code millis}: their records are gone. */
    KeySet forgetting(long millis) {
        return new KeySet(
                keys,
                subKeys.stream()
                        .filter(key -> key.endedMillis() == 0 || key.endedMillis() >= millis)
                        .toList());
    }

    /** Without any sub-keys: what the rings of a fleet share. */
    KeySet withoutSubKeys() {
        return new KeySet(keys, List.of());
    }

    /** With a new, empty sub-key of the active data key. */
    SubKey freshSubKey(long nowMillis, SecureRandom random) {
        byte[] salt = new byte[SubKey.SALT_BYTES];
        random.nextBytes(salt);
        while (true) {
            long id = random.nextLong();
            // Records of format 1 have room for the lower half only.
            boolean taken = subKeys.stream().anyMatch(key -> key.shortId() == (int) id);
            if ((id < 0 || id >= SubKey.FIRST_ID) && (int) id != 0 && !taken) {
                return SubKey.of(id, requireActive(Purpose.DATA), nowMillis, 0, salt);
            }
        }
    }

    /**
     * This set, joined with that of a fleet. Nothing is lost: every key and sub-key of either is in the result. Who
     * destroyed a key has destroyed it in both. For data and signatures theirs is active from now on and ours is retired, so
     * that what is new can be read by all; of index keys ours stays active when {@code keepIndex}, because the entries
     * in a folder are found by it. Where both gave one number to different keys, theirs keeps it and ours gets the
     * next free one. Adopting the same set again changes nothing.
     */
    KeySet adopting(KeySet theirs, boolean keepIndex, long nowMillis, String by) {
        List<RingKey> joined = new ArrayList<>();
        for (Purpose purpose : Purpose.values()) {
            boolean oursStays = purpose == Purpose.INDEX && keepIndex && active(purpose) != null;
            RingKey active = oursStays ? active(purpose) : theirs.active(purpose);
            RingKey chosen = active == null ? active(purpose) : active;
            List<RingKey> ofPurpose = union(of(purpose), theirs.of(purpose));
            for (RingKey key : ofPurpose) {
                boolean isChosen = chosen != null && key.id() == chosen.id();
                if (key.is(State.ACTIVE) && !isChosen) {
                    joined.add(key.in(State.RETIRED, nowMillis, by));
                } else if (key.is(State.RETIRED) && isChosen) {
                    joined.add(key.in(State.ACTIVE, nowMillis, by));
                } else {
                    joined.add(key);
                }
            }
        }
        return new KeySet(joined, subKeys).joining(theirs.subKeys);
    }

    private static List<RingKey> union(List<RingKey> ours, List<RingKey> theirs) {
        List<RingKey> all = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (RingKey key : theirs) {
            RingKey own = ours.stream()
                    .filter(other -> other.id() == key.id())
                    .findFirst()
                    .orElse(key);
            all.add(own.is(State.DESTROYED) ? own.numbered(key.epoch()) : key);
            numbers.add(key.epoch());
        }
        int next = 1
                + Math.max(
                        ours.stream().mapToInt(RingKey::epoch).max().orElse(0),
                        theirs.stream().mapToInt(RingKey::epoch).max().orElse(0));
        for (RingKey key : ours) {
            if (theirs.stream().noneMatch(other -> other.id() == key.id())) {
                all.add(numbers.add(key.epoch()) ? key : key.numbered(next++));
            }
        }
        all.sort(Comparator.comparingInt(RingKey::epoch));
        return all;
    }

    /** Whether both have the same keys in the same states, and the same sub-keys. */
    boolean says(KeySet other) {
        return facts().equals(other.facts()) && subIds().equals(other.subIds());
    }

    private Set<String> facts() {
        return keys.stream()
                .map(key -> key.purpose() + " " + key.id() + " " + key.epoch() + " " + key.state())
                .collect(Collectors.toSet());
    }

    private Set<Long> subIds() {
        return subKeys.stream().map(SubKey::id).collect(Collectors.toSet());
    }

    /** With sub-keys that came with files of another folder. */
    KeySet joining(List<SubKey> others) {
        List<SubKey> all = new ArrayList<>(subKeys);
        for (SubKey other : others) {
            // Copies of a folder of format 1 gave one id to different salts; the tag of a record tells them apart.
            if (subKeys.stream()
                    .noneMatch(own -> own.id() == other.id()
                            && own.keyId() == other.keyId()
                            && Arrays.equals(own.salt(), other.salt()))) {
                all.add(other);
            }
        }
        all.sort(Comparator.comparingLong(SubKey::createdMillis));
        return new KeySet(keys, all);
    }
}
