package dev.terrace.tier.local.policy;

/**
 * The adaptive ranking: learns when keys are used again, from their past, and keeps those that bring the most hits for the room and time
 * they take.
 *
 * <p>Keys are put in classes by how often they were used and by the pause before their last use. For each class a histogram of ages says
 * at which age keys were used again, and at which they were given up; residents and ghosts that still wait count as "not yet" at their
 * age. From that follows the chance of use at every age, given that there was none before (the product-limit estimate of E. L. Kaplan and
 * P. Meier, 1958), and from that the value of a key: the largest ratio, over all times it could be kept, of the expected hits to the
 * expected time (the index of J. C. Gittins, 1979). Ranking by hits per room and time follows N. Beckmann, H. Chen and A. Cidon, "LHD: Improving
 * Cache Hit Rate by Maximizing Hit Density", NSDI 2018; that recurring pauses predict the next one follows S. Jiang and X. Zhang, "LIRS",
 * SIGMETRICS 2002, and ghosts N. Megiddo and D. S. Modha, "ARC", FAST 2003.
 *
 * <p>So recency, frequency, loops and scans are not modes between which something must switch: they are shapes of these curves. What is
 * not known yet is assumed to be good ({@link #HOPE}): an old key of unknown fate is kept rather than a new one, which is what pays in a
 * loop, and what is wrong about it shows in one turnover.
 *
 * <p>Learning costs some tens of microseconds, at most once in half a capacity of accesses, whatever the capacity: of large caches a part
 * of the residents and ghosts is counted.
 */
final class ReuseModel implements Ranking {
    private static final int FREQUENCIES = 6;
    private static final int CLASSES = FREQUENCIES * Uses.PAUSES;
    private static final int GHOSTS_PER_SLOT = 2;

    /** For so many slots one ghost less: it makes room for the sums of {@link Residents}. */
    private static final int SLOTS_PER_GHOST_LESS = 512;

    private static final int CENSUS = 4096;
    private static final int SHORTEST_PERIOD = 256;

    /** How much of the old knowledge is left after a period. */
    private static final double MEMORY = 0.985;

    /** Chance of use per bucket where nothing is known, and how many observations that opinion weighs. */
    private static final double HOPE = 0.4;

    private static final double HOPE_WEIGHT = 100;

    /** How many observations the opinion of all similar classes weighs against a class's own. */
    private static final double KIN_WEIGHT = 100;

    /** Of that opinion, the share of "like keys with the same pause, whatever its length, in units of it". */
    private static final double RHYTHM_SHARE = 0.75;

    private static final double RHYTHM_START = 4;

    private final Uses uses;
    private final Ghosts ghosts;
    private final int period;
    private final double[][] values = new double[CLASSES][Ages.BUCKETS];
    private final double[][] hits = new double[CLASSES][Ages.BUCKETS];
    private final double[][] gone = new double[CLASSES][Ages.BUCKETS];

    /** Since the last lesson; written by readers without a lock. */
    private final int[] freshHits = new int[CLASSES * Ages.BUCKETS];

    private int learnedAt;
    private int censusStart;

    ReuseModel(Uses uses) {
        this.uses = uses;
        this.ghosts = new Ghosts((long) GHOSTS_PER_SLOT * uses.capacity() - uses.capacity() / SLOTS_PER_GHOST_LESS);
        this.period = Math.max(SHORTEST_PERIOD, uses.capacity() / 2) / uses.readsPerTick();
        for (double[] curve : values) {
            for (int age = 0; age < Ages.BUCKETS; age++) {
                // Until the first lesson: least recently used.
                curve[age] = 1 / (Ages.start(age) + uses.capacityTicks());
            }
        }
    }

    private static int classOf(long use) {
        // 1, 2, 3-4, 5-8, 9-16, more
        int frequency = Math.min(FREQUENCIES - 1, 32 - Integer.numberOfLeadingZeros(Uses.uses(use) - 1));
        return frequency * Uses.PAUSES + Uses.pause(use);
    }

    @Override
    public double value(long use, int now) {
        int age = Uses.age(use, now);
        // Within a bucket the older goes first.
        return values[classOf(use)][Ages.bucket(age)] * (1 - age * 1e-12);
    }

    @Override
    public void used(long before, int now) {
        int cell = classOf(before) * Ages.BUCKETS + Ages.bucket(Uses.age(before, now));
        int count = freshHits[cell];
        // Lessons come with admissions: where all is held, none may come for days.
        if (count < Integer.MAX_VALUE) {
            freshHits[cell] = count + 1;
        }
    }

    @Override
    public void returned(long ghost, int now) {
        if (ghost != 0) {
            hits[classOf(ghost)][Ages.bucket(Uses.age(ghost, now))] += 1.0 / uses.readsPerTick();
        }
        int since = now - learnedAt;
        if (since >= period || since < -Uses.FURTHEST_BEHIND) {
            learnedAt = now;
            learn(now);
        }
    }

    @Override
    public void left(long hash, long use, int now) {
        long forgotten = ghosts.put(hash, use);
        if (forgotten != 0) {
            gone[classOf(forgotten)][Ages.bucket(Uses.age(forgotten, now))] += 1.0 / uses.readsPerTick();
        }
    }

    @Override
    public long recall(long hash) {
        return ghosts.take(hash);
    }

    private void learn(int now) {
        // As many lessons in one as were due: a hit is a tick, and none of the hits may count more for having waited.
        double lessons = (double) Math.max(1, freshHits() / period);
        double kept = Math.pow(MEMORY, lessons);
        double weight = (1 - kept) / ((1 - MEMORY) * lessons);
        for (int c = 0; c < CLASSES; c++) {
            for (int age = 0; age < Ages.BUCKETS; age++) {
                int cell = c * Ages.BUCKETS + age;
                hits[c][age] = hits[c][age] * kept + freshHits[cell] * weight;
                gone[c][age] *= kept;
                freshHits[cell] = 0;
            }
        }
        double[][] ends = waiting(now);
        for (int c = 0; c < CLASSES; c++) {
            for (int age = 0; age < Ages.BUCKETS; age++) {
                ends[c][age] += gone[c][age];
            }
        }
        double[] all = Ages.hazard(sum(hits, 0, CLASSES), sum(ends, 0, CLASSES), null, HOPE, HOPE_WEIGHT);
        double[] rhythm = rhythm(ends);
        double[] kin = new double[Ages.BUCKETS];
        for (int f = 0; f < FREQUENCIES; f++) {
            int first = f * Uses.PAUSES;
            double[] alike = Ages.hazard(
                    sum(hits, first, first + Uses.PAUSES), sum(ends, first, first + Uses.PAUSES), all, 0, KIN_WEIGHT);
            for (int pause = 0; pause < Uses.PAUSES; pause++) {
                int c = first + pause;
                int shift = Ages.BUCKETS - bucketOf(pause);
                for (int age = 0; age < Ages.BUCKETS; age++) {
                    kin[age] = pause == 0
                            ? alike[age]
                            : (1 - RHYTHM_SHARE) * alike[age] + RHYTHM_SHARE * rhythm[age + shift];
                }
                Ages.index(Ages.smooth(Ages.hazard(hits[c], ends[c], kin, 0, KIN_WEIGHT)), values[c]);
            }
        }
    }

    private long freshHits() {
        long sum = 0;
        for (int count : freshHits) {
            sum += count;
        }
        return sum;
    }

    private int bucketOf(int pause) {
        return Ages.bucket((int) uses.pauseTicks(pause));
    }

    /** Hazards of all classes, their ages counted from their own pause. */
    private double[] rhythm(double[][] ends) {
        double[] sumHits = new double[2 * Ages.BUCKETS];
        double[] sumEnds = new double[2 * Ages.BUCKETS];
        for (int c = 0; c < CLASSES; c++) {
            int pause = c % Uses.PAUSES;
            if (pause > 0) {
                int shift = Ages.BUCKETS - bucketOf(pause);
                for (int age = 0; age < Ages.BUCKETS; age++) {
                    sumHits[age + shift] += hits[c][age];
                    sumEnds[age + shift] += ends[c][age];
                }
            }
        }
        for (int near = -Ages.PER_OCTAVE; near <= Ages.PER_OCTAVE; near++) {
            sumHits[Ages.BUCKETS + near] += RHYTHM_START / (2 * Ages.PER_OCTAVE + 1);
        }
        sumEnds[2 * Ages.BUCKETS - 1] += RHYTHM_START / 2;
        return Ages.hazard(sumHits, sumEnds, null, HOPE, HOPE_WEIGHT);
    }

    private static double[] sum(double[][] of, int from, int to) {
        double[] sum = new double[Ages.BUCKETS];
        for (int c = from; c < to; c++) {
            for (int age = 0; age < Ages.BUCKETS; age++) {
                sum[age] += of[c][age];
            }
        }
        return sum;
    }

    /** Residents and ghosts by class and age; of many a part, which starts elsewhere each time. */
    private double[][] waiting(int now) {
        double[][] count = new double[CLASSES][Ages.BUCKETS];
        int residents = uses.highWater();
        // Odd, so that no position within a bucket or a set is passed over.
        int stride = residents / CENSUS | 1;
        double weight = (double) stride / uses.readsPerTick();
        for (int slot = censusStart % stride; slot < residents; slot += stride) {
            count(count, uses.of(slot), now, weight);
        }
        stride = ghosts.cells() / (CENSUS * GHOSTS_PER_SLOT) | 1;
        weight = (double) stride / uses.readsPerTick();
        for (int cell = censusStart % stride; cell < ghosts.cells(); cell += stride) {
            count(count, ghosts.at(cell), now, weight);
        }
        censusStart = censusStart + 7 & 0xFFFF;
        return count;
    }

    private static void count(double[][] into, long use, int now, double weight) {
        if (use != 0) {
            into[classOf(use)][Ages.bucket(Uses.age(use, now))] += weight;
        }
    }
}
