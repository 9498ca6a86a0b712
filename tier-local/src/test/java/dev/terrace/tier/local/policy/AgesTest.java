package dev.terrace.tier.local.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AgesTest {
    @Test
    void bucketsCoverAllAgesInOrder() {
        int last = 0;
        for (int age = 0; age >= 0 && age < Integer.MAX_VALUE - 10; age += 1 + age / 7) {
            int bucket = Ages.bucket(age);
            assertThat(bucket).isBetween(last, Ages.BUCKETS - 1);
            if (bucket < Ages.BUCKETS - 1) {
                assertThat((double) age).isBetween(Ages.start(bucket), Ages.start(bucket + 1));
            }
            last = bucket;
        }
        assertThat(Ages.bucket(0)).isZero();
        assertThat(Ages.bucket(Integer.MAX_VALUE)).isEqualTo(Ages.BUCKETS - 1);
    }

    @Test
    void chancesAreThoseOfWhoCameSoFar() {
        double[] hits = new double[Ages.BUCKETS];
        double[] ends = new double[Ages.BUCKETS];
        hits[4] = 50;
        ends[10] = 25;
        hits[20] = 25;
        double[] chance = Ages.hazard(hits, ends, null, 0, 1e-9);
        assertThat(chance[4]).isCloseTo(0.5, within(1e-6));
        assertThat(chance[10]).isZero();
        assertThat(chance[20]).isCloseTo(1, within(1e-6));
        assertThat(chance[30]).as("nobody came so far: the opinion").isZero();
        double[] opinion = new double[Ages.BUCKETS];
        Arrays.fill(opinion, 0.25);
        assertThat(Ages.hazard(hits, ends, opinion, 0, 100)[4]).isCloseTo((50 + 25) / 200.0, within(1e-6));
        assertThat(Ages.hazard(hits, ends, opinion, 0, 100)[30]).isCloseTo(0.25, within(1e-6));
    }

    @Test
    void theIndexIsTheBestRatioOfHitsToTimeOverAllTimesToKeep() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 200; round++) {
            double[] chance = new double[Ages.BUCKETS];
            for (int age = 0; age < Ages.BUCKETS; age++) {
                chance[age] = random.nextInt(3) == 0 ? random.nextDouble() : random.nextDouble() * 0.01;
            }
            double[] index = new double[Ages.BUCKETS];
            Ages.index(chance, index);
            for (int from = 0; from < 40; from++) {
                double best = 0;
                double hit = 0;
                double time = 0;
                double left = 1;
                for (int to = from; to < Ages.BUCKETS && left > 1e-9; to++) {
                    double used = left * chance[to];
                    hit += used;
                    time += (Ages.start(to + 1) - Ages.start(to)) * (left - used / 2);
                    left -= used;
                    best = Math.max(best, hit / time);
                }
                if (best > 1e-6) {
                    assertThat(index[from] / best)
                            .as("round %d from %d", round, from)
                            .isCloseTo(1, within(0.02));
                }
            }
        }
    }
}
