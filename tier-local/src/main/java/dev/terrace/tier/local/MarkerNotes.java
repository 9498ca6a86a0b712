package dev.terrace.tier.local;

import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Notice;
import dev.terrace.spi.NoticeFormat;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was invalidated as a whole, in a file beside the entries: a frame for each marker, one after the other, big-endian.
 *
 * <pre>
 *  0 length 4       of what follows the checksum
 *  4 complement 4   of the length, so that a damaged one is not taken for a frame that was never finished
 *  8 checksum 4     of what follows
 * 12 until 8        from when on nothing can be held that is so old, in milliseconds of the wall clock
 * 20 notice         in {@link NoticeFormat}
 * </pre>
 *
 * <p>Only the newest marker of each cache, namespace and tag is kept, and begun anew from those when the file has grown. When there are too
 * many, all of tags are forgotten but for the newest version of them: entries with tags that are not newer are of no use then. Thread-safe.
 * Not through a channel, which the first interrupted caller would close for all.
 */
final class MarkerNotes implements AutoCloseable {
    static final int MOST_MARKERS = 50_000;
    private static final Logger LOG = LoggerFactory.getLogger(MarkerNotes.class);
    private static final long MOST_BYTES = 16L << 20;

    /** Stands for the cache in the note of what was forgotten. */
    private static final String FORGOTTEN = MarkerKeys.RESERVED_PREFIX + "forgotten";

    private static final int HEADER_BYTES = 3 * Integer.BYTES;

    private record Note(Notice.Marker marker, long untilMillis) {}

    private final Path path;
    private RandomAccessFile file;
    private final Map<String, Note> newest = new LinkedHashMap<>();

    /** Files that are not written to any more, but are being synced. */
    private final List<RandomAccessFile> retired = new ArrayList<>();

    private int syncs;
    private boolean complete;
    private boolean closed;

    private MarkerNotes(Path path, RandomAccessFile file, boolean complete) {
        this.path = path;
        this.file = file;
        this.complete = complete;
    }

    private static RandomAccessFile file(Path path) throws IOException {
        OwnerOnly.create(path);
        return new RandomAccessFile(path.toFile(), "rw");
    }

    /** Opens the notes of a folder, and reads what they say. A half-written last one had not been acknowledged, and is cut off. */
    static MarkerNotes open(Path path) throws IOException {
        RandomAccessFile file = file(path);
        boolean opened = false;
        try {
            MarkerNotes notes = new MarkerNotes(path, file, file.length() <= 2 * MOST_BYTES);
            if (notes.complete) {
                notes.readAll();
            }
            opened = true;
            return notes;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private void readAll() throws IOException {
        byte[] all = new byte[(int) file.length()];
        file.seek(0);
        file.readFully(all);
        ByteBuffer in = ByteBuffer.wrap(all);
        int whole = 0;
        while (complete && in.remaining() >= HEADER_BYTES) {
            int length = in.getInt();
            int complement = in.getInt();
            int checksum = in.getInt();
            if (complement != ~length || length < Long.BYTES) {
                // What follows may be whole, but something is lost.
                complete = false;
            } else if (length > in.remaining()) {
                break;
            } else {
                byte[] body = new byte[length];
                in.get(body);
                complete = checksum == checksum(body) && read(body);
                whole = in.position();
            }
        }
        if (complete && whole < all.length) {
            // What comes behind half a note would be taken for the rest of it.
            file.setLength(whole);
        }
    }

    private boolean read(byte[] body) {
        long untilMillis = ByteBuffer.wrap(body).getLong();
        byte[] notice = new byte[body.length - Long.BYTES];
        System.arraycopy(body, Long.BYTES, notice, 0, notice.length);
        NoticeFormat.Read read = NoticeFormat.read(notice);
        for (Notice each : read.notices()) {
            if (each instanceof Notice.Marker marker) {
                hold(new Note(marker, untilMillis));
            }
        }
        return read.unread() == 0;
    }

    /** Whether all that was ever kept is still known. */
    synchronized boolean isComplete() {
        return complete;
    }

    /** What is known to be invalidated. */
    synchronized List<Notice.Marker> all() {
        return newest.values().stream()
                .map(Note::marker)
                .filter(marker -> !marker.cache().equals(FORGOTTEN))
                .toList();
    }

    /** Of tags, invalidations up to this version are not known any more. */
    synchronized Version forgotten() {
        Note note = newest.get(FORGOTTEN);
        return note == null ? Version.ZERO : note.marker().version();
    }

    /**
     * Keeps it, unless something newer of its kind is kept.
     *
     * @param untilMillis when nothing that it hides can be held any more, whatever later settings say
     */
    synchronized void keep(Notice.Marker marker, long untilMillis) throws IOException {
        Note note = new Note(marker, untilMillis);
        if (closed || !hold(note)) {
            return;
        }
        if (file.length() > MOST_BYTES || newest.size() > MOST_MARKERS) {
            rewrite();
            if (!complete) {
                throw new IOException("more than " + MOST_MARKERS + " caches and namespaces were invalidated");
            }
        } else {
            append(file, framed(List.of(note)));
        }
    }

    /** Forgets what hides nothing any more. */
    synchronized void prune(long nowMillis) throws IOException {
        if (!closed && newest.values().removeIf(note -> note.untilMillis() < nowMillis)) {
            rewrite();
        }
    }

    private boolean hold(Note note) {
        String name = nameOf(note.marker());
        Note held = newest.get(name);
        if (held != null && !note.marker().version().isNewerThan(held.marker().version())) {
            return false;
        }
        newest.put(name, note);
        return true;
    }

    private static String nameOf(Notice.Marker marker) {
        String tag = marker.tag();
        return tag == null ? marker.cache() : marker.cache() + '\0' + tag;
    }

    /** The entries are gone, so nothing has to be known of what was invalidated. */
    synchronized void clear() throws IOException {
        newest.clear();
        complete = true;
        rewrite();
    }

    private void rewrite() throws IOException {
        // Half of what leads to this, so that it is rare.
        if (newest.size() > MOST_MARKERS || framed(newest.values()).length > MOST_BYTES / 2) {
            forgetTags();
        }
        if (newest.size() > MOST_MARKERS) {
            complete = false;
            newest.clear();
        }
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        RandomAccessFile written = file(fresh);
        boolean done = false;
        try {
            append(written, framed(newest.values()));
            if (!complete) {
                // Read as a note that is lost.
                append(written, new byte[HEADER_BYTES]);
            }
            // Or else the disk might have the new name before what is behind it, and nothing of what the old one had.
            written.getFD().sync();
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            done = true;
        } finally {
            retire(done ? file : written);
        }
        file = written;
    }

    private void forgetTags() {
        Note held = newest.get(FORGOTTEN);
        Version version = forgotten();
        long untilMillis = held == null ? 0 : held.untilMillis();
        List<Note> ofTags = newest.values().stream()
                .filter(note ->
                        note.marker().tag() != null && !note.marker().cache().equals(MarkerKeys.NAMESPACES))
                .toList();
        for (Note note : ofTags) {
            version =
                    note.marker().version().isNewerThan(version) ? note.marker().version() : version;
            untilMillis = Math.max(untilMillis, note.untilMillis());
            newest.remove(nameOf(note.marker()));
        }
        if (!ofTags.isEmpty()) {
            LOG.info(
                    "more tags were invalidated than are noted, entries with tags from before will not outlive this process tags={}",
                    ofTags.size());
            newest.put(FORGOTTEN, new Note(new Notice.Marker(0, FORGOTTEN, null, version, false), untilMillis));
        }
    }

    /** Closes it, unless it is being synced: then its end does. */
    private void retire(RandomAccessFile old) throws IOException {
        if (syncs > 0) {
            retired.add(old);
        } else {
            old.close();
        }
    }

    private static byte[] framed(Collection<Note> notes) {
        List<byte[]> frames = notes.stream().map(MarkerNotes::frame).toList();
        ByteBuffer out = ByteBuffer.allocate(
                frames.stream().mapToInt(frame -> frame.length).sum());
        frames.forEach(out::put);
        return out.array();
    }

    private static byte[] frame(Note note) {
        byte[] notice = NoticeFormat.write(List.of(note.marker()));
        byte[] body = ByteBuffer.allocate(Long.BYTES + notice.length)
                .putLong(note.untilMillis())
                .put(notice)
                .array();
        return ByteBuffer.allocate(HEADER_BYTES + body.length)
                .putInt(body.length)
                .putInt(~body.length)
                .putInt(checksum(body))
                .put(body)
                .array();
    }

    private static void append(RandomAccessFile to, byte[] frames) throws IOException {
        long end = to.length();
        boolean whole = false;
        try {
            to.seek(end);
            to.write(frames);
            whole = true;
        } finally {
            if (!whole) {
                to.setLength(end);
            }
        }
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }

    /** Returns when the disk has what was kept before. */
    void sync() throws IOException {
        RandomAccessFile now;
        synchronized (this) {
            if (closed) {
                return;
            }
            now = file;
            syncs++;
        }
        try {
            // Callers who invalidate do not wait for the disk.
            now.getFD().sync();
        } finally {
            synced();
        }
    }

    private synchronized void synced() throws IOException {
        if (--syncs == 0) {
            for (RandomAccessFile old : retired) {
                old.close();
            }
            retired.clear();
        }
    }

    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            retire(file);
        }
    }
}
