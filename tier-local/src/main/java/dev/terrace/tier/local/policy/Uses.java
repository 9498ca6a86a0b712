package dev.terrace.tier.local.policy;

/**
 * What is known of each resident's use, one {@code long} a slot: when it was last used, how often (also before it was evicted the last
 * time, as far as {@link Ghosts} knew), how long the pause before its last use was, and what it takes. A hit reads and writes that one cell.
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

    /** Above the state, which {@link Ghosts} keep too, is what the resident takes. */
    private static final int WEIGHT_SHIFT = 48;

    private static final long STATE = (1L << WEIGHT_SHIFT) - 1;

    /** A positive {@code float} has no sign, which leaves 31 bits. */
    private static final int WEIGHT_BITS_LESS = 15;

    /** How far behind a state's last use a thread may see the clock, as ticks are lost. */
    static final int FURTHEST_BEHIND = 1 << 28;

    private final UseCells cells;
    private final int mask;
    private int admissions;
    /** Racy: a lost tick is no harm. It goes round: what counts is the difference of two times. */
    private int clock;

    private volatile int highWater;

    private final int capacity;
    private final int capacityTicks;

    /** What turns ticks into capacities, times the root of two: half an octave up, so that cutting off is rounding. */
    private final double octaveScale;

    /** Ticks after which all uses count half, or 0 when they never do. */
    private final int halfLife;

    /** Of as many residents as there are cells. */
    Uses(UseCells cells) {
        this(cells, cells.slots(), 0);
    }

    /**
     * Of the residents in these cells, all 0.
     *
     * @param capacity how many there can be at a time
     * @param halfLifeCapacities all uses count half after so many capacities of accesses, as in TinyLFU; 0 for never
     */
    Uses(UseCells cells, int capacity, int halfLifeCapacities) {
        this(cells, capacity, halfLifeCapacities, FIRST_TICK);
    }

    /** The same with a clock that stands somewhere. */
    Uses(UseCells cells, int capacity, int halfLifeCapacities, int clock) {
        this.clock = clock;
        this.cells = cells;
        this.capacity = capacity;
        mask = Math.min(MOST_READS_PER_TICK, Math.max(1, Integer.highestOneBit(capacity / SLOTS_PER_TICK_READ))) - 1;
        capacityTicks = Math.max(1, capacity / (mask + 1));
        octaveScale = Math.sqrt(2) / capacityTicks;
        halfLife = (int) Math.min(Integer.MAX_VALUE, (long) capacityTicks * halfLifeCapacities);
    }

    int slots() {
        return cells.slots();
    }

    /** How many residents there can be; fewer than slots where those are given by hash. */
    int capacity() {
        return capacity;
    }

    /** See {@link UseCells#areByHash}. */
    boolean areByHash() {
        return cells.areByHash();
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

    /**
     * Starts a resident.
     *
     * @param ghost what its ghost remembered, 0 for nothing
     * @param bytes what it takes
     */
    void begin(int slot, long ghost, int bytes) {
        if (ticks(admissions++)) {
            tick();
        }
        int now = clock;
        cells.set(slot, weight(bytes) | (ghost == 0 ? pack(now, 1, 0) : again(ghost & STATE, now)));
        if (slot >= highWater) {
            highWater = slot + 1;
        }
    }

    /** Notes a use; the state before it. */
    long again(int slot) {
        long before = cells.get(slot);
        if (before != 0) {
            cells.set(slot, before & ~STATE | again(before, clock));
        }
        return before;
    }

    private long again(long before, int now) {
        return pack(now, Math.min(MOST_USES, frequency(before, now) + 1), pause(age(before, now)));
    }

    /** 0 when the slot is free: who was admitted was used once at least. */
    long of(int slot) {
        return cells.get(slot);
    }

    void end(int slot) {
        cells.set(slot, 0);
    }

    /** A resident takes so many bytes from now on. */
    void weigh(int slot, int bytes) {
        long before = cells.get(slot);
        if (before != 0) {
            cells.set(slot, before & STATE | weight(bytes));
        }
    }

    /** The upper half of a {@code float}: to one in 256. */
    private static long weight(int bytes) {
        return (long) (Float.floatToRawIntBits(bytes) >>> WEIGHT_BITS_LESS) << WEIGHT_SHIFT;
    }

    /** What a resident takes, about. */
    static float bytes(long use) {
        return Float.intBitsToFloat((int) (use >>> WEIGHT_SHIFT) << WEIGHT_BITS_LESS);
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
