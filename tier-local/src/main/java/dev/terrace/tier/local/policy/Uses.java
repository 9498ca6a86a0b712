package dev.terrace.tier.local.policy;

/**
 * What is known of each resident's use, one {@code long} a slot: when it was last used, how often (also before it was evicted the last
 * time, as far as {@link Ghosts} knew), and how long the pause before its last use was. A hit reads and writes that one cell.
 *
 * <p>Time is counted in accesses, {@link #readsPerTick()} to a tick: one for small caches, up to 64 for large ones, where a thread's
 * every 64th read moves the shared clock, so that threads do not fight for it.
 */
final class Uses {
    static final int MOST_READS_PER_TICK = 64;
    static final int MOST_USES = 127;

    /** How many classes of pauses there are; 0 is "used once". */
    static final int PAUSES = 9;

    private static final int SLOTS_PER_TICK_READ = 4096;
    private static final int PAUSE_OF_ONE_CAPACITY = 5;
    private static final int FIRST_TICK = 1;

    /** How far behind a state's last use a thread may see the clock, as ticks are lost. */
    static final int FURTHEST_BEHIND = 1 << 28;

    private final long[] use;
    private final int mask;
    private int admissions;
    /** Racy: a lost tick is no harm. It goes round: what counts is the difference of two times. */
    private int clock;

    private volatile int highWater;

    private final int capacityTicks;

    /** What turns ticks into capacities, times the root of two: half an octave up, so that cutting off is rounding. */
    private final double octaveScale;

    /** Ticks after which all uses count half, or 0 when they never do. */
    private final int halfLife;

    Uses(int slots) {
        this(slots, 0, FIRST_TICK);
    }

    /**
     * Of so many slots.
     *
     * @param halfLifeCapacities all uses count half after so many capacities of accesses, as in TinyLFU; 0 for never
     */
    Uses(int slots, int halfLifeCapacities) {
        this(slots, halfLifeCapacities, FIRST_TICK);
    }

    /** The same with a clock that stands somewhere. */
    Uses(int slots, int halfLifeCapacities, int clock) {
        this.clock = clock;
        use = new long[slots];
        mask = Math.min(MOST_READS_PER_TICK, Math.max(1, Integer.highestOneBit(slots / SLOTS_PER_TICK_READ))) - 1;
        capacityTicks = Math.max(1, slots / (mask + 1));
        octaveScale = Math.sqrt(2) / capacityTicks;
        halfLife = (int) Math.min(Integer.MAX_VALUE, (long) capacityTicks * halfLifeCapacities);
    }

    int slots() {
        return use.length;
    }

    int readsPerTick() {
        return mask + 1;
    }

    int capacityTicks() {
        return capacityTicks;
    }

    int now() {
        return clock;
    }

    /** One past the highest slot ever used. */
    int highWater() {
        return highWater;
    }

    /** Whether the read with this ticket is one that stands for a tick. */
    boolean ticks(int ticket) {
        return (ticket & mask) == 0;
    }

    void tick() {
        clock++;
    }

    /** Starts a resident with what its ghost remembered, 0 for nothing. */
    void begin(int slot, long ghost) {
        if (ticks(admissions++)) {
            tick();
        }
        int now = clock;
        use[slot] = ghost == 0 ? pack(now, 1, 0) : again(ghost, now);
        if (slot >= highWater) {
            highWater = slot + 1;
        }
    }

    /** Notes a use; the state before it. */
    long again(int slot) {
        long before = use[slot];
        if (before != 0) {
            use[slot] = again(before, clock);
        }
        return before;
    }

    private long again(long before, int now) {
        return pack(now, Math.min(MOST_USES, frequency(before, now) + 1), pause(age(before, now)));
    }

    /** 0 when the slot is free: who was admitted was used once at least. */
    long of(int slot) {
        return use[slot];
    }

    void end(int slot) {
        use[slot] = 0;
    }

    /** Class of a pause, by octaves around the capacity, 1 to {@link #PAUSES} - 1. */
    private int pause(int ticks) {
        // Rounds to the nearest octave without a logarithm or a division: this is on the path of every hit.
        int octave = Math.getExponent((ticks + 1.0) * octaveScale);
        return Math.max(1, Math.min(PAUSES - 1, octave + PAUSE_OF_ONE_CAPACITY));
    }

    /** The middle of a class of pauses, in ticks. */
    double pauseTicks(int pause) {
        return capacityTicks * Math.pow(2, pause - PAUSE_OF_ONE_CAPACITY);
    }

    private static long pack(int last, int uses, int pause) {
        return (long) pause << 40 | (long) uses << 32 | last & 0xFFFF_FFFFL;
    }

    static int last(long use) {
        return (int) use;
    }

    static int uses(long use) {
        return (int) (use >>> 32) & 0xFF;
    }

    /** Uses, of which old ones count less if they are to. */
    int frequency(long use, int now) {
        if (halfLife == 0) {
            return uses(use);
        }
        // The clock's half-lives that ended since, counted from the last use on: it may have gone round.
        long begun = Integer.remainderUnsigned(last(use), halfLife);
        return uses(use) >>> Math.min(31, (begun + age(use, now)) / halfLife);
    }

    static int pause(long use) {
        return (int) (use >>> 40) & 0xF;
    }

    /** Ticks since the last use, never negative; {@link Integer#MAX_VALUE} for all that is more. */
    static int age(long use, int now) {
        int age = now - last(use);
        if (age >= 0) {
            return age;
        }
        return age < -FURTHEST_BEHIND ? Integer.MAX_VALUE : 0;
    }
}
