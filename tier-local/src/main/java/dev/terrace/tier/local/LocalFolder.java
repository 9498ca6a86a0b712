package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Persisted.Inheritance;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder in which L1 outlives its process: the lock, the file of entries, what it knows of itself, and the notes of what was
 * invalidated. Thread-safe.
 *
 * <p>A process that is killed loses nothing, because the operating system has every store. When the machine stops, the disk may lack
 * any page since the last {@link #sync}: then the file is good only as of the places that were written down after that sync, and where
 * there is no channel to replay from there, not at all.
 */
final class LocalFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalFolder.class);
    private static final long PLACES_EVERY_NANOS = 100_000_000;

    private final Path path;
    private final FileLayout layout;
    private final FolderLock lock;
    private final MarkerNotes notes;
    private final FileMap map;
    private final MappedByteBuffer head;
    private final Inheritance found;
    private final boolean torn;
    private FileState state;
    private long copies;
    private long placesWrittenNanos;
    private @Nullable Map<String, String> pending;
    private boolean markersLost;
    private boolean closed;

    private LocalFolder(
            Path path,
            FolderLock lock,
            MarkerNotes notes,
            FileChannel file,
            FileLayout layout,
            FileState.@Nullable Copy left)
            throws IOException {
        this.path = path;
        this.layout = layout;
        this.lock = lock;
        this.notes = notes;
        this.head = head(file);
        String boot = MachineBoot.id();
        String name = new LocalFile(path, layout).name();
        if (left == null) {
            this.found = Inheritance.NOTHING;
            this.torn = false;
            this.state = new FileState(name, boot, false, null, null);
            notes.clear();
        } else {
            Map<String, String> places = left.state().placesAfter(boot);
            this.copies = left.number();
            this.torn = left.state().isTorn(boot);
            this.found = new Inheritance(0, places, notes.all(), Version.ZERO);
            this.state = new FileState(
                    name,
                    boot,
                    false,
                    places,
                    left.state().clean() ? places : left.state().syncedPlaces());
        }
        this.placesWrittenNanos = System.nanoTime() - PLACES_EVERY_NANOS;
        this.map = FileMap.map(file, layout, FileHeader.of(file, layout).secret(), this::close);
        // Mappings outlive their channel.
        file.close();
        write();
    }

    /** Opens what is there, or begins anew. */
    static LocalFolder open(Path path, FileLayout layout) {
        FolderLock lock = null;
        MarkerNotes notes = null;
        FileChannel file = null;
        LocalFolder opened = null;
        try {
            Files.createDirectories(path);
            lock = FolderLock.take(path);
            notes = MarkerNotes.open(path.resolve("l1.markers"));
            LocalFile entries = new LocalFile(path, layout);
            file = entries.find();
            FileState.Copy left = file == null ? null : FileState.newest(head(file));
            String flaw = file == null ? null : flaw(left, notes);
            if (file != null
                    && left != null
                    && flaw == null
                    && !left.state().file().equals(entries.name())) {
                flaw = entries.fillHoles(file) ? null : "unreadable";
            }
            if (file != null && flaw != null) {
                file.close();
                file = null;
                left = null;
                entries.setAside(flaw);
            }
            if (file == null) {
                file = entries.create();
            }
            opened = new LocalFolder(path, lock, notes, file, layout, left);
            return opened;
        } catch (IOException e) {
            throw new SetupException(
                    "the folder " + path + " of local_cache.persist cannot be used: " + e,
                    "see that it is a folder of this process alone, which may write to it, or leave local_cache.persist out",
                    e);
        } finally {
            if (opened == null) {
                closeQuietly(file);
                closeQuietly(notes);
                closeQuietly(lock);
            }
        }
    }

    private static MappedByteBuffer head(FileChannel file) throws IOException {
        return file.map(MapMode.READ_WRITE, 0, FileHeader.HEAD_BYTES);
    }

    private static @Nullable String flaw(FileState.@Nullable Copy left, MarkerNotes notes) {
        if (left == null) {
            return "damaged";
        }
        FileState state = left.state();
        if (state.isTorn(MachineBoot.id())
                && (state.syncedPlaces() == null
                        || Objects.requireNonNull(state.syncedPlaces()).isEmpty())) {
            return "unsynced";
        }
        return notes.isComplete() ? null : "markers-lost";
    }

    /** What is in the file cannot be read: it is no more the file of this folder. */
    void setAside() {
        try {
            new LocalFile(path, layout).setAside("unreadable");
        } catch (IOException e) {
            throw new SetupException(
                    "the file of the local tier in " + path + " can neither be read nor set aside: " + e.getMessage(),
                    "look after that disk, or leave local_cache.persist out",
                    e);
        }
    }

    /** Lets other processes in, and leaves all as if this one were killed now. */
    void leave() {
        synchronized (this) {
            closed = true;
        }
        closeQuietly(notes);
        closeQuietly(lock);
    }

    private static void closeQuietly(@Nullable AutoCloseable part) {
        try {
            if (part != null) {
                part.close();
            }
        } catch (Exception e) {
            LOG.warn("a part of the local tier's folder did not close after a failure", e);
        }
    }

    FileMap map() {
        return map;
    }

    /** Whether the machine stopped before the disk had everything of the earlier process. */
    boolean isTorn() {
        return torn;
    }

    /** What was found, but for the entries. */
    Inheritance found() {
        return found;
    }

    /** Whether the next process would know where to go on. */
    synchronized boolean isResumable() {
        return state.places() != null;
    }

    /** See {@link dev.terrace.spi.Persisted#keepPlaces}. Written at once when doubt begins or ends, else now and then. */
    synchronized void keepPlaces(@Nullable Map<String, String> places) {
        if (closed || markersLost) {
            return;
        }
        boolean soon = (places == null) != (state.places() == null)
                || System.nanoTime() - placesWrittenNanos >= PLACES_EVERY_NANOS;
        pending = places;
        if (soon && !Objects.equals(places, state.places())) {
            writePending();
        }
    }

    private void writePending() {
        state = new FileState(state.file(), state.boot(), false, pending, state.syncedPlaces());
        placesWrittenNanos = System.nanoTime();
        write();
    }

    /** See {@link dev.terrace.spi.Persisted#keepMarker}. When the disk does not take it, the next process will believe nothing. */
    void keepMarker(Notice.Marker marker) {
        try {
            notes.keep(marker);
        } catch (IOException e) {
            LOG.error(
                    "the local tier cannot keep what was invalidated, the next process starts empty folder={}",
                    path,
                    e);
            forgetPlaces();
        }
    }

    private synchronized void forgetPlaces() {
        if (!closed) {
            markersLost = true;
            state = new FileState(state.file(), state.boot(), false, null, null);
            write();
        }
    }

    private void write() {
        if (!state.write(head, ++copies)) {
            LOG.error("the places of so many channels cannot be kept, the next process starts empty folder={}", path);
            new FileState(state.file(), state.boot(), false, null, null).write(head, copies);
        }
    }

    /** Has the disk take everything; what was heard by now need not be heard again, even if the machine stops. */
    void sync(long oldestMarkerMillis) {
        Map<String, String> heard;
        synchronized (this) {
            if (closed) {
                return;
            }
            heard = state.places();
        }
        try {
            notes.prune(oldestMarkerMillis);
            notes.sync();
        } catch (IOException e) {
            LOG.error("the disk does not take what was invalidated folder={}", path, e);
            forgetPlaces();
            return;
        }
        map.sync();
        synchronized (this) {
            if (!closed && !markersLost) {
                state = new FileState(state.file(), state.boot(), false, state.places(), heard);
                write();
                head.force();
            }
        }
    }

    /** Has the disk take everything and lets other processes in. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            if (!markersLost && pending != null) {
                writePending();
            }
        }
        try {
            notes.sync();
            map.sync();
            synchronized (this) {
                closed = true;
                state = new FileState(state.file(), state.boot(), true, state.places(), state.places());
                write();
                head.force();
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("the disk did not take all of the local tier folder={}", path, e);
        }
        synchronized (this) {
            closed = true;
        }
        closeQuietly(notes);
        lock.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
