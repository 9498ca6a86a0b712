package dev.terrace.replication;

/** A node's process on virtual time: it may fall asleep, its wall clock may be set, and it may die. */
final class SimHost implements Timing {
    static final long EPOCH_MILLIS = 1_000_000_000_000L;

    private final VirtualTime time;

    /** Until then it sleeps: what comes for it waits, and so do its alarms, which go off after that. */
    long asleepUntilNanos;

    /** What its wall clock shows beyond the true time. */
    long skewMillis;

    /** It does nothing any more, and nobody hears of it. */
    boolean dead;

    SimHost(VirtualTime time, long skewMillis) {
        this.time = time;
        this.skewMillis = skewMillis;
    }

    long wallMillis() {
        return EPOCH_MILLIS + time.millis() + skewMillis;
    }

    @Override
    public long nanos() {
        return time.nanos();
    }

    @Override
    public void after(long delayMillis, Runnable task) {
        time.after(delayMillis, () -> awake(2_000, task));
    }

    boolean isAwake() {
        return !dead && asleepUntilNanos <= time.nanos();
    }

    /** Runs {@code task} now, or that long after the node has woken up; never when it is dead. */
    void awake(long afterwardsNanos, Runnable task) {
        if (dead) {
            return;
        }
        long left = asleepUntilNanos - time.nanos();
        if (left <= 0) {
            task.run();
        } else {
            time.afterNanos(left + afterwardsNanos, () -> awake(afterwardsNanos, task));
        }
    }
}
