package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.TerraceException;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.KeyHolder;
import dev.terrace.spi.KeyReport;
import dev.terrace.spi.Probed;
import dev.terrace.spi.RestoreReport;
import dev.terrace.spi.Restoring;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * L3 whose folder may be removed while it runs. What was deleted is still read as long as it is open, and gone with the process;
 * so as soon as there is an empty folder in its place, L3 is opened anew in it, and begins empty. {@code l3.reopened} and {@code
 * l3.reopen_failed} count that; tries that fail become rare, up to {@value #RAREST_MILLIS} ms apart. Thread-safe.
 *
 * <p>A folder that comes back with a backup in it is not taken over: it may be older than what this process wrote since, and lack the
 * tombstones that keep deleted values from coming back. A restart takes it over, and doubts what it holds until L2 has confirmed it.
 */
final class ReopeningTier extends ForwardingTier
        implements ScannableTier, HintStore, Probed, KeyHolder, BackupShipper, Restoring {
    private static final Logger LOG = LoggerFactory.getLogger(ReopeningTier.class);
    private static final long SOONEST_MILLIS = 1_000;
    static final long RAREST_MILLIS = 30_000;

    /** What the tier that lost its folder writes into whatever lies in its place; of no use to the next. */
    private static final Set<String> LEFTOVERS = Set.of(
            Folder.HIGH_WATER,
            Folder.HIGH_WATER + ".new",
            RestoreNote.FILE,
            RestoreNote.FILE + ".new",
            RestoreNote.WORK);

    private final Supplier<RocksTier> opener;
    private final Path path;
    private final Counter reopened;
    private final Counter failed;

    /** What is open now. */
    private static final class Open {
        volatile RocksTier tier;

        Open(RocksTier tier) {
            this.tier = tier;
        }
    }

    /** At most one look at a time, and none that waits. */
    private final ThreadPoolExecutor looking =
            new ThreadPoolExecutor(0, 1, 5, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "terrace-l3-reopening");
                thread.setDaemon(true);
                return thread;
            });

    private final Open open;
    private volatile String hope = "";
    private volatile boolean closed;
    private long pauseMillis = SOONEST_MILLIS;
    private long nextNanos = System.nanoTime();

    /**
     * Opens it.
     *
     * @param opener opens L3 in {@code path}; throws what opening throws
     */
    ReopeningTier(Supplier<RocksTier> opener, Path path, MetricRegistry metrics) {
        this(new Open(opener.get()), opener, path, metrics);
    }

    private ReopeningTier(Open open, Supplier<RocksTier> opener, Path path, MetricRegistry metrics) {
        super(() -> open.tier);
        this.open = open;
        this.opener = opener;
        this.path = path;
        this.reopened = metrics.counter("l3.reopened");
        this.failed = metrics.counter("l3.reopen_failed");
    }

    @Override
    public CompletionStage<String> probe() {
        return open.tier.probe().thenApply(trouble -> {
            if (trouble.isEmpty()) {
                return trouble;
            }
            try {
                looking.execute(this::look);
            } catch (RejectedExecutionException busyOrClosed) {
                return told(trouble); // The look that is under way will find the same.
            }
            return told(trouble);
        });
    }

    private String told(String trouble) {
        String now = hope;
        return now.isEmpty() ? trouble : trouble + "; " + now;
    }

    /** Opens L3 anew, if it has lost its folder and there is one to take. */
    private synchronized void look() {
        if (closed || System.nanoTime() - nextNanos < 0) {
            return;
        }
        RocksTier old = open.tier;
        if (old.hasItsFolder()) {
            hope = "";
            return;
        }
        try {
            if (!Files.isDirectory(path)) {
                hope = "make an empty folder there, and it is taken into use";
                return;
            }
            String held = held();
            if (!held.isEmpty()) {
                hope = "what lies there now holds " + held + ", and taking it over could bring back what was deleted"
                        + " since: put an empty folder there, or restart the process";
                return;
            }
            reopen(old);
        } catch (IOException | TerraceException e) {
            failed.inc();
            nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(pauseMillis);
            hope = "opening it anew failed: " + e.getMessage();
            LOG.warn("backup cannot be opened anew folder={} next_try_ms={}", path, pauseMillis, e);
            pauseMillis = Math.min(RAREST_MILLIS, 2 * pauseMillis);
        }
    }

    private String held() throws IOException {
        try (Stream<Path> children = Files.list(path)) {
            return children.map(child -> child.getFileName().toString())
                    .filter(name -> !LEFTOVERS.contains(name))
                    .sorted()
                    .findFirst()
                    .orElse("");
        }
    }

    private void reopen(RocksTier old) throws IOException {
        old.close();
        for (String leftover : LEFTOVERS) {
            Folders.delete(path.resolve(leftover));
        }
        open.tier = opener.get();
        reopened.inc();
        pauseMillis = SOONEST_MILLIS;
        hope = "";
        LOG.warn("backup lost its folder and was opened anew, empty folder={}", path);
    }

    @Override
    public String layout() {
        return open.tier.layout();
    }

    @Override
    public void scan(int part, int parts, Predicate<Entry> visitor) {
        open.tier.scan(part, parts, visitor);
    }

    @Override
    public CompletionStage<Boolean> keep(Hint hint) {
        return open.tier.keep(hint);
    }

    @Override
    public void drop(String zone, CacheKey key) {
        open.tier.drop(zone, key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Entry>> read(String zone, Collection<CacheKey> keys) {
        return open.tier.read(zone, keys);
    }

    @Override
    public CompletionStage<Long> load(Collection<String> zones, Consumer<Hint> visitor) {
        return open.tier.load(zones, visitor);
    }

    @Override
    public @Nullable KeyReport keys() {
        return open.tier.keys();
    }

    @Override
    public CompletionStage<String> rotateKey(String purpose, String by) {
        return open.tier.rotateKey(purpose, by);
    }

    @Override
    public @Nullable BackupReport backup() {
        return open.tier.backup();
    }

    @Override
    public @Nullable RestoreReport restore() {
        return open.tier.restore();
    }

    @Override
    public Readiness readiness() {
        return open.tier.readiness();
    }

    @Override
    public CompletionStage<String> snapshot() {
        return open.tier.snapshot();
    }

    /** As the tier's own; while it is opened anew, it takes nothing. */
    @Override
    public TierStatus status() {
        TierStatus status = open.tier.status();
        if (closed || status.state() != TierStatus.State.CLOSED) {
            return status;
        }
        return new TierStatus(
                status.level(),
                TierStatus.State.READ_ONLY,
                status.description(),
                told("the folder " + path + " was removed or replaced"),
                status.entries(),
                status.bytes());
    }

    @Override
    public void close() {
        looking.shutdown();
        synchronized (this) {
            closed = true;
            open.tier.close();
        }
    }
}
