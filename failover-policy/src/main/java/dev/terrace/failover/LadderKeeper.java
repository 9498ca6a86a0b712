package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.BadInputException;
import dev.terrace.api.LadderListener;
import dev.terrace.api.LadderMove;
import dev.terrace.api.LadderStatus;
import dev.terrace.api.Rung;
import dev.terrace.spi.Gauges;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Asks the {@link Ladder} ten times a second where to stand, has it enforced, and tells of every move: one log line, metrics
 * ({@code ladder.*}), listeners. Thread-safe.
 */
public final class LadderKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LadderKeeper.class);
    private static final Logger AUDIT = LoggerFactory.getLogger("terrace.audit");
    private static final long TICK_MILLIS = 100;
    private static final int MOVES_NOT_YET_TOLD = 1_000;
    private static final Duration SHORTEST_PIN = Duration.ofSeconds(1);
    private static final Duration LONGEST_PIN = Duration.ofDays(7);
    private static final int LONGEST_REASON = 500;

    private final Ladder ladder;
    private final LongFunction<HealthSignals> signals;
    private final LongSupplier millis;
    private final InstantSource wall;
    private final Consumer<Position> enforce;
    private final List<LadderListener> listeners;
    private final Counter moves;
    private final Counter untold;
    private final Map<Rung, Long> spentMillis = new EnumMap<>(Rung.class);
    private final ScheduledExecutorService ticks;
    private final ThreadPoolExecutor telling;
    private final Gauges gauges;
    private Position at;
    private HealthSignals last;
    private long accountedMillis;

    /** Read by metrics, without a lock. */
    private volatile Rung rung = Rung.NORMAL;

    /**
     * Stands on {@link Rung#NORMAL} and does nothing before {@link #start}.
     *
     * @param signals what is known at a time of {@code millis}; must not block
     * @param millis a clock that only moves on
     * @param wall the wall clock, for people
     * @param enforce told of every new position, before anybody else; must not block or throw
     * @param listeners told of every move, on a thread of their own
     */
    public LadderKeeper(
            LadderRules rules,
            LongFunction<HealthSignals> signals,
            LongSupplier millis,
            InstantSource wall,
            MetricRegistry metrics,
            Consumer<Position> enforce,
            List<LadderListener> listeners) {
        this.ladder = new Ladder(rules);
        this.signals = signals;
        this.millis = millis;
        this.wall = wall;
        this.enforce = enforce;
        this.listeners = List.copyOf(listeners);
        this.accountedMillis = millis.getAsLong();
        this.at = Position.start(rules, accountedMillis);
        this.last = HealthSignals.NOTHING;
        this.moves = metrics.counter("ladder.moves");
        this.untold = metrics.counter("ladder.moves.untold");
        this.ticks = Executors.newSingleThreadScheduledExecutor(daemon("terrace-ladder"));
        this.telling = new ThreadPoolExecutor(
                1,
                1,
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MOVES_NOT_YET_TOLD),
                daemon("terrace-ladder-listeners"));
        telling.allowCoreThreadTimeOut(true);
        this.gauges = new Gauges(metrics);
        register();
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    private void register() {
        gauges.put("ladder.rung", () -> rung.text());
        for (Rung one : Rung.values()) {
            spentMillis.put(one, 0L);
            String name = one.name().toLowerCase(Locale.ROOT);
            gauges.put("ladder.at." + name, () -> rung == one ? 1 : 0);
            gauges.put("ladder.spent_ms." + name, () -> spent(one));
        }
    }

    private synchronized long spent(Rung one) {
        account(millis.getAsLong());
        return spentMillis.getOrDefault(one, 0L);
    }

    /** Begins to decide. */
    public LadderKeeper start() {
        ticks.scheduleWithFixedDelay(this::safely, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
        return this;
    }

    private void safely() {
        try {
            decide();
        } catch (RuntimeException e) {
            // A timer forgets a task that threw: the node would stay where it is for ever.
            LOG.error("the ladder met a bug", e);
        }
    }

    /** Decides now. */
    public synchronized void decide() {
        long now = millis.getAsLong();
        last = signals.apply(now);
        account(now);
        Position before = at;
        Position next = ladder.next(before, last, now);
        at = next;
        if (!next.equals(before)) {
            enforce.accept(next);
        }
        if (before.pin() != null && next.pin() == null) {
            AUDIT.info(
                    "ladder pin expired rung={} by={}",
                    before.pin().rung().text(),
                    before.pin().by());
        }
        if (next.rung() != before.rung()) {
            rung = next.rung();
            moves.inc();
            LOG.atLevel(next.rung().isWorseThan(before.rung()) ? Level.WARN : Level.INFO)
                    .log(
                            "ladder moved from={} to={} pinned={} cause=\"{}\"",
                            before.rung().text(),
                            next.rung().text(),
                            next.pin() != null,
                            next.cause());
            tell(new LadderMove(before.rung(), next.rung(), wall.instant(), next.cause(), next.pin() != null));
        }
    }

    private void account(long now) {
        spentMillis.merge(at.rung(), Math.max(0, now - accountedMillis), Long::sum);
        accountedMillis = now;
    }

    private void tell(LadderMove move) {
        if (listeners.isEmpty()) {
            return;
        }
        try {
            telling.execute(() -> listeners.forEach(listener -> tell(listener, move)));
        } catch (RejectedExecutionException e) {
            untold.inc();
        }
    }

    private static void tell(LadderListener listener, LadderMove move) {
        try {
            listener.moved(move);
        } catch (RuntimeException e) {
            LOG.error("a listener of the ladder failed", e);
        }
    }

    /**
     * Goes to {@code wanted} and stays there whatever happens, until the time is over or {@link #unpin} is called.
     *
     * @param by who wants it, for the audit log
     * @param why the reason, for the audit log; not blank
     * @throws BadInputException when the time is out of bounds or the reason is missing
     */
    public void pin(Rung wanted, Duration time, String by, String why) {
        if (time.compareTo(SHORTEST_PIN) < 0 || time.compareTo(LONGEST_PIN) > 0) {
            throw new BadInputException(
                    "a rung cannot be pinned for " + time.toMillis() + " ms", "pin it for 1 second to 7 days");
        }
        if (why.isBlank() || why.length() > LONGEST_REASON) {
            throw new BadInputException(
                    "a pin needs a reason of 1 to " + LONGEST_REASON + " characters", "say why, for the audit log");
        }
        String reason = oneLine(why);
        String who = oneLine(by);
        AUDIT.info("ladder pinned rung={} for_ms={} by=\"{}\" why=\"{}\"", wanted.text(), time.toMillis(), who, reason);
        synchronized (this) {
            at = at.pinned(new Position.Pin(wanted, millis.getAsLong() + time.toMillis(), who, reason));
            decide();
        }
    }

    /** Ends a pin; returns false when there was none. */
    public boolean unpin(String by) {
        synchronized (this) {
            if (at.pin() == null) {
                return false;
            }
            AUDIT.info("ladder unpinned rung={} by=\"{}\"", at.rung().text(), oneLine(by));
            at = at.pinned(null);
            decide();
            return true;
        }
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("[\\p{C}\\p{Zl}\\p{Zp}\"]", " ");
    }

    /** Where the node stands. */
    public synchronized LadderStatus status() {
        long now = millis.getAsLong();
        account(now);
        Map<Rung, Duration> spent = new EnumMap<>(Rung.class);
        spentMillis.forEach((one, time) -> spent.put(one, Duration.ofMillis(time)));
        Position.Pin pin = at.pin();
        return new LadderStatus(
                at.rung(),
                wall.instant().minusMillis(now - at.sinceMillis()),
                at.cause(),
                ladder.lift(at, last, now),
                pin == null
                        ? null
                        : new LadderStatus.Pin(
                                pin.rung(), wall.instant().plusMillis(pin.untilMillis() - now), pin.by(), pin.why()),
                spent,
                moves.getCount(),
                last.texts());
    }

    /** Stays where it is. */
    @Override
    public void close() {
        ticks.shutdownNow();
        telling.shutdown();
        gauges.close();
    }
}
