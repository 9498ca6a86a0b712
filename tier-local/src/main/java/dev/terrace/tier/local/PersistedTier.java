package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Persisted;
import dev.terrace.spi.Version;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The local tier in a folder, where the next process finds it. Thread-safe. See {@code docs/adr/0021}. */
final class PersistedTier extends OffHeapTier implements Persisted {
    private static final Logger LOG = LoggerFactory.getLogger(PersistedTier.class);
    private static final long SYNC_MILLIS = 30_000;

    /** The clock may go back by so much, and a write take so long, before a marker is forgotten too early. */
    private static final long MARKER_MARGIN_MILLIS = TimeUnit.HOURS.toMillis(1);

    private final Shelf shelf;
    private final LocalFolder folder;
    private final Inheritance inherited;
    private final long ttlMillis;
    private final ScheduledExecutorService syncing;

    private PersistedTier(LocalCacheSettings settings, Shelf shelf, LocalFolder folder, long attached, Version newest) {
        super(settings, shelf);
        this.shelf = shelf;
        this.folder = folder;
        this.ttlMillis = settings.ttl().toMillis();
        this.inherited = new Inheritance(
                attached, folder.found().places(), folder.found().markers(), newest);
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
     * @param maxDrift how far ahead of the clock a version may be
     * @throws dev.terrace.api.SetupException when another process has the folder, or its disk has no room
     */
    static PersistedTier open(
            LocalCacheSettings settings,
            Groups groups,
            Path path,
            InstantSource clock,
            Duration maxDrift,
            MetricRegistry metrics,
            KeyHash hash) {
        MapShape shape = MapShape.of(settings, groups.share());
        boolean again = false;
        while (true) {
            LocalFolder folder = LocalFolder.open(path, FileLayout.of(shape), Disk.OF_THE_FILE);
            boolean attached = false;
            try {
                LocalCounters counters = new LocalCounters(metrics);
                Shelf shelf = new Shelf(settings, groups, clock, counters, hash, shape, folder.map());
                PersistedTier tier = attach(settings, shelf, folder, maxDrift);
                attached = true;
                return tier;
            } catch (InternalError unreadable) {
                if (again) {
                    throw unreadable;
                }
                LOG.error("the file of the local tier cannot be read folder={}", path, unreadable);
                folder.setAside();
                again = true;
            } finally {
                if (!attached) {
                    folder.leave();
                }
            }
        }
    }

    private static PersistedTier attach(
            LocalCacheSettings settings, Shelf shelf, LocalFolder folder, Duration maxDrift) {
        long started = System.nanoTime();
        Doubts doubts = new Doubts((int) shelf.shape.entries());
        Adoption adoption =
                new Adoption(shelf, doubts, settings.ttl().toMillis(), maxDrift.toMillis(), folder.forgottenTags());
        int dropped = folder.map().attach(adoption, folder.isTorn());
        folder.attached();
        long attached = shelf.budget.entries();
        if (attached > 0) {
            shelf.doubt(doubts);
        }
        LOG.info(
                "local tier attached folder={} entries={} bytes={} segments_dropped={} millis={}",
                folder,
                attached,
                shelf.budget.bytes(),
                dropped,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
        return new PersistedTier(settings, shelf, folder, attached, adoption.newest());
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
        folder.keepMarker(marker, shelf.clock.millis() + ttlMillis + MARKER_MARGIN_MILLIS);
    }

    void sync() {
        folder.sync(shelf.clock.millis());
    }

    @Override
    public void close() {
        syncing.shutdown();
        super.close();
    }
}
