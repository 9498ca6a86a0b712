package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Persisted.Inheritance;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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
    private final Disk disk;
    private final Inheritance found;
    private final boolean torn;
    private final Version forgottenTags;
    private FileState state;
    private long copies;
    private long placesWrittenNanos;
    private @Nullable Map<String, String> pending;

    /** Whether the disk has refused something. Then it may lack anything for good, though it says at the next sync that it has all. */
    private boolean distrusted;

    /** Whether it is known which channels this process follows. */
    private boolean begun;

    private boolean closed;

    private LocalFolder(
            Path path,
            FolderLock lock,
            MarkerNotes notes,
            FileChannel file,
            FileLayout layout,
            FileState.@Nullable Copy left,
            Disk disk)
            throws IOException {
        this.path = path;
        this.layout = layout;
        this.lock = lock;
        this.notes = notes;
        this.disk = disk;
        this.forgottenTags = notes.forgotten();
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
            boolean synced = left.state().clean() || places == null;
            // What is torn stays so for who comes after a kill, until it has been looked at.
            this.state = new FileState(
                    name,
                    torn ? left.state().boot() : boot,
                    false,
                    places,
                    synced ? places : left.state().syncedPlaces());
        }
        this.placesWrittenNanos = System.nanoTime() - PLACES_EVERY_NANOS;
        this.map = FileMap.map(file, layout, FileHeader.of(file, layout).secret(), this::close);
        // Mappings outlive their channel.
        file.close();
        write();
        // Before anything is changed: it must not seem to be closed, with all on the disk, when the machine stops.
        disk.take(head);
    }

    /** Opens what is there, or begins anew. */
    static LocalFolder open(Path path, FileLayout layout, Disk disk) {
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
            FileState.Copy left = file == null ? null : FileState.newest(readHead(file));
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
            opened = new LocalFolder(path, lock, notes, file, layout, left, disk);
            return opened;
        } catch (IOException | UncheckedIOException e) {
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

    /** Not mapped: as long as that is there, a file that is deleted keeps its room on the disk. */
    private static ByteBuffer readHead(FileChannel file) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(FileHeader.HEAD_BYTES);
        int last = 0;
        while (head.hasRemaining() && last >= 0) {
            last = file.read(head, head.position());
        }
        return head.clear();
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

    /** All that was left has been looked at: from now on what a killed process leaves is whole. */
    synchronized void attached() {
        if (torn) {
            state = new FileState(state.file(), MachineBoot.id(), state.clean(), state.places(), state.syncedPlaces());
            write();
        }
    }

    /** Entries with tags that are not newer than this are of no use: which of their tags were invalidated was forgotten. */
    Version forgottenTags() {
        return forgottenTags;
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
        if (closed || distrusted) {
            return;
        }
        if (!begun && !Objects.equals(places, state.places())) {
            newlyFollowed(places);
        }
        begun = true;
        boolean soon = (places == null) != (state.places() == null)
                || System.nanoTime() - placesWrittenNanos >= PLACES_EVERY_NANOS;
        pending = places;
        if (soon && !Objects.equals(places, state.places())) {
            writePending();
        }
    }

    /**
     * This process does not go on where the earlier one stopped: that is no place for a later one either, not even if the machine stops
     * before the first sync.
     */
    private void newlyFollowed(@Nullable Map<String, String> places) {
        state = new FileState(state.file(), state.boot(), false, places, null);
        placesWrittenNanos = System.nanoTime();
        try {
            write();
            disk.take(head);
        } catch (RuntimeException | InternalError e) {
            refused(e);
        }
    }

    private void writePending() {
        state = new FileState(state.file(), state.boot(), false, pending, state.syncedPlaces());
        placesWrittenNanos = System.nanoTime();
        write();
    }

    /** See {@link dev.terrace.spi.Persisted#keepMarker}. When the disk does not take it, the next process will believe nothing. */
    void keepMarker(Notice.Marker marker, long untilMillis) {
        try {
            notes.keep(marker, untilMillis);
        } catch (IOException e) {
            refused(e);
        }
    }

    /** A kernel says once that the disk refused a page, and forgets it: from now on the next process is to believe nothing. */
    private synchronized void refused(Throwable why) {
        LOG.error("the disk does not take the local tier, the next process starts empty folder={}", path, why);
        if (!closed) {
            distrusted = true;
            state = new FileState(state.file(), state.boot(), false, null, null);
            try {
                write();
            } catch (InternalError lost) {
                // Nor can the next process read it, then.
                LOG.error("the head of the local tier's file is lost folder={}", path, lost);
            }
        }
    }

    private void write() {
        if (!state.write(head, ++copies)) {
            LOG.error("the places of so many channels cannot be kept, the next process starts empty folder={}", path);
            new FileState(state.file(), state.boot(), false, null, null).write(head, copies);
        }
    }

    /** Has the disk take everything; what was heard by now need not be heard again, even if the machine stops. */
    void sync(long nowMillis) {
        Map<String, String> heard;
        synchronized (this) {
            if (closed || distrusted) {
                return;
            }
            heard = state.places();
        }
        try {
            notes.prune(nowMillis);
            notes.sync();
            map.sync(disk);
            synchronized (this) {
                if (closed || distrusted) {
                    return;
                }
                state = new FileState(state.file(), state.boot(), false, state.places(), heard);
                write();
            }
            // Who has new places does not wait for the disk.
            disk.take(head);
        } catch (IOException | RuntimeException | InternalError e) {
            refused(e);
        }
    }

    /** Has the disk take everything and lets other processes in. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
        }
        try {
            notes.sync();
            map.sync(disk);
            closeCleanly();
        } catch (IOException | RuntimeException | InternalError e) {
            refused(e);
        } finally {
            leave();
        }
    }

    private synchronized void closeCleanly() {
        if (!distrusted) {
            Map<String, String> places = pending == null ? state.places() : pending;
            state = new FileState(state.file(), state.boot(), true, places, places);
            write();
            disk.take(head);
        }
        closed = true;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
