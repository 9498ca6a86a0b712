package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Persisted;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The local tier in a folder, where the next process finds it. Thread-safe. See {@code docs/adr/0021}. */
final class PersistedTier extends ChronicleTier implements Persisted {
    private static final Logger LOG = LoggerFactory.getLogger(PersistedTier.class);
    private static final long SYNC_MILLIS = 30_000;

    /** Clocks of nodes that invalidate may be off by so much. */
    private static final long MARKER_MARGIN_MILLIS = TimeUnit.HOURS.toMillis(1);

    private final Shelf shelf;
    private final LocalFolder folder;
    private final Inheritance inherited;
    private final long ttlMillis;
    private final ScheduledExecutorService syncing;

    private PersistedTier(LocalCacheSettings settings, Shelf shelf, LocalFolder folder, long attached) {
        super(settings, shelf);
        this.shelf = shelf;
        this.folder = folder;
        this.ttlMillis = settings.ttl().toMillis();
        this.inherited = new Inheritance(
                attached, folder.found().places(), folder.found().markers());
        shelf.counters.gauge("l1.unconfirmed", shelf::unconfirmed);
        shelf.counters.gauge("l1.attached", () -> attached);
        shelf.counters.gauge("l1.resumable", () -> folder.isResumable() ? 1L : 0L);
        this.syncing = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "terrace-l1-sync");
            thread.setDaemon(true);
            return thread;
        });
        syncing.scheduleWithFixedDelay(this::sync, SYNC_MILLIS, SYNC_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Opens the folder, and takes in what an earlier process left there.
     *
     * @throws dev.terrace.api.SetupException when another process has the folder, or its disk has no room
     */
    static PersistedTier open(
            LocalCacheSettings settings,
            Groups groups,
            Path path,
            InstantSource clock,
            MetricRegistry metrics,
            KeyHash hash) {
        MapShape shape = MapShape.of(settings, groups.share());
        LocalFolder folder = LocalFolder.open(path, FileLayout.of(shape));
        try {
            return attach(settings, groups, shape, path, folder, clock, metrics, hash);
        } catch (InternalError unreadable) {
            LOG.error("the file of the local tier cannot be read folder={}", path, unreadable);
            folder.giveUp();
        }
        return attach(
                settings, groups, shape, path, LocalFolder.open(path, FileLayout.of(shape)), clock, metrics, hash);
    }

    private static PersistedTier attach(
            LocalCacheSettings settings,
            Groups groups,
            MapShape shape,
            Path path,
            LocalFolder folder,
            InstantSource clock,
            MetricRegistry metrics,
            KeyHash hash) {
        long started = System.nanoTime();
        Shelf shelf = new Shelf(settings, groups, clock, new LocalCounters(metrics), hash, shape, folder.map());
        Doubts doubts = new Doubts((int) shape.entries());
        int dropped =
                folder.map().attach(new Adoption(shelf, doubts, settings.ttl().toMillis()));
        long attached = shelf.budget.entries();
        if (attached > 0) {
            shelf.doubt(doubts);
        }
        LOG.info(
                "local tier attached folder={} entries={} bytes={} segments_dropped={} millis={}",
                path,
                attached,
                shelf.budget.bytes(),
                dropped,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
        return new PersistedTier(settings, shelf, folder, attached);
    }

    @Override
    public Inheritance inherited() {
        return inherited;
    }

    @Override
    public void confirm() {
        long unconfirmed = shelf.unconfirmed();
        shelf.believe();
        if (unconfirmed > 0) {
            LOG.info("what an earlier process left in the local tier is confirmed entries={}", unconfirmed);
        }
    }

    @Override
    public void keepPlaces(@Nullable Map<String, String> places) {
        folder.keepPlaces(places);
    }

    @Override
    public void keepMarker(Notice.Marker marker) {
        folder.keepMarker(marker);
    }

    private void sync() {
        try {
            folder.sync(shelf.clock.millis() - 2 * ttlMillis - MARKER_MARGIN_MILLIS);
        } catch (RuntimeException | InternalError e) {
            LOG.error("the disk does not take the local tier", e);
        }
    }

    @Override
    public void close() {
        syncing.shutdown();
        super.close();
    }
}
