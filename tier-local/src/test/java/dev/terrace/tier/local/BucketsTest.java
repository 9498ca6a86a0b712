package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Against a map of the standard library, with good hashes and with poor ones, and with all cells taken. */
class BucketsTest {
    private static final int FIRST = 8;
    private static final int BUCKETS = 32;
    private static final int SLOTS = BUCKETS * Buckets.CELLS;

    /** More than an overflow count can say. */
    private static final int MANY_BUCKETS = 128;

    private final SplittableRandom random = LocalFixture.random(getClass());

    private record Id(long high, long low) {
        HashKey key() {
            return new HashKey().set(high, low);
        }
    }

    /** What is held, by key, with its slot. */
    private final Map<Id, Integer> held = new HashMap<>();

    /** The place of each key that was ever held, counted from 1. */
    private final Map<Id, Integer> places = new HashMap<>();

    private final Cells cells = new Cells(FIRST + MANY_BUCKETS * Buckets.CELLS + FIRST, false);

    private int place(Id id) {
        return places.computeIfAbsent(id, added -> places.size() + 1);
    }

    private int find(Buckets buckets, Id id) {
        return buckets.find(id.key(), (place, key) -> place == place(new Id(key.high, key.low)));
    }

    private void change(Buckets buckets, Id id) {
        Integer slot = held.get(id);
        if (slot != null) {
            if (random.nextBoolean()) {
                // Who is gone and has not left yet is not found, and keeps its cell.
                buckets.place(slot, Buckets.GONE);
                assertThat(find(buckets, id)).isEqualTo(Buckets.NONE);
            }
            buckets.leave(id.key(), slot);
            held.remove(id);
            return;
        }
        int claimed = buckets.claim(id.key(), place(id));
        assertThat(claimed == Buckets.NONE).as("no cell is free").isEqualTo(held.size() == slots(buckets));
        if (claimed != Buckets.NONE) {
            assertThat(claimed).isBetween(buckets.firstSlot(), buckets.endSlot() - 1);
            assertThat(held).doesNotContainValue(claimed);
            held.put(id, claimed);
        }
    }

    private static int slots(Buckets buckets) {
        return buckets.endSlot() - buckets.firstSlot();
    }

    private void check(Buckets buckets) {
        for (Entry<Id, Integer> one : held.entrySet()) {
            assertThat(find(buckets, one.getKey())).as("%s", one.getKey()).isEqualTo(one.getValue());
            assertThat(buckets.place(one.getValue())).isEqualTo(place(one.getKey()));
            assertThat(buckets.mayBe(one.getValue(), one.getKey().key())).isTrue();
        }
        for (int outside = 0; outside < FIRST; outside++) {
            assertThat(cells.word(outside)).isZero();
            assertThat(cells.word(buckets.endSlot() + outside)).isZero();
        }
    }

    private void empty(Buckets buckets) {
        held.forEach((id, slot) -> buckets.leave(id.key(), slot));
        held.clear();
    }

    private void churn(int rounds, Supplier<Id> ids) {
        Buckets buckets = new Buckets(cells, FIRST, BUCKETS);
        for (int round = 0; round < rounds; round++) {
            change(buckets, ids.get());
            Id other = ids.get();
            if (!held.containsKey(other)) {
                assertThat(find(buckets, other)).isEqualTo(Buckets.NONE);
            }
            if (round % 64 == 0) {
                check(buckets);
            }
        }
        empty(buckets);
        for (int slot = 0; slot < cells.slots(); slot++) {
            assertThat(cells.word(slot)).as("once all are gone, nobody went on").isZero();
        }
    }

    private Id id(long high) {
        return new Id(high, random.nextInt(SLOTS * 2));
    }

    @Test
    void whatIsHeldIsFoundAndNothingElse() {
        churn(10_000, () -> {
            int which = random.nextInt(SLOTS * 2);
            return new Id(new SplittableRandom(which).nextLong(), which);
        });
    }

    @Test
    void aPoorHashCostsNoEntry() {
        churn(5_000, () -> id(random.nextInt(3)));
        churn(5_000, () -> id(-1));
        churn(5_000, () -> id(random.nextInt(3) * 0x0000_0101_5555_5555L));
    }

    @Test
    void moreThanCanBeCountedGoOnFromOneBucket() {
        Buckets buckets = new Buckets(cells, FIRST, MANY_BUCKETS);
        int all = slots(buckets);
        for (int round = 0; round < 3; round++) {
            for (int i = 1; i <= all + 1; i++) {
                change(buckets, new Id(-7, i));
            }
            assertThat(held).hasSize(all);
            check(buckets);
            while (held.size() > all / 2) {
                change(buckets, new Id(-7, 1 + random.nextInt(all)));
            }
            check(buckets);
            empty(buckets);
        }
        assertThat(find(buckets, new Id(-7, 1))).isEqualTo(Buckets.NONE);
    }
}
