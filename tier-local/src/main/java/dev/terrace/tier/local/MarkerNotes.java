package dev.terrace.tier.local;

import dev.terrace.spi.Notice;
import dev.terrace.spi.NoticeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * What was invalidated as a whole, in a file beside the entries: a length, a checksum and a notice in {@link NoticeFormat}, again and
 * again. Only the newest marker of each cache, namespace and tag is kept, and begun anew from those when the file has grown. Thread-safe.
 */
final class MarkerNotes implements AutoCloseable {
    private static final int MOST_MARKERS = 50_000;
    private static final long MOST_BYTES = 16L << 20;
    private static final int FRAME_BYTES = 2 * Integer.BYTES;

    private final Path path;
    private FileChannel file;
    private final Map<String, Notice.Marker> newest = new LinkedHashMap<>();
    private boolean complete;
    private boolean closed;

    private MarkerNotes(Path path, FileChannel file, boolean complete) {
        this.path = path;
        this.file = file;
        this.complete = complete;
    }

    private static FileChannel channel(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Opens the notes of a folder, and reads what they say. A half-written last one had not been acknowledged. */
    static MarkerNotes open(Path path) throws IOException {
        FileChannel file = channel(path);
        boolean opened = false;
        try {
            MarkerNotes notes = new MarkerNotes(path, file, file.size() <= 2 * MOST_BYTES);
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
        ByteBuffer in = ByteBuffer.allocate((int) file.size());
        int last = 0;
        while (in.hasRemaining() && last >= 0) {
            last = file.read(in, in.position());
        }
        in.flip();
        while (in.remaining() > FRAME_BYTES) {
            int length = in.getInt();
            int checksum = in.getInt();
            if (length < 0 || length > in.remaining()) {
                return;
            }
            byte[] bytes = new byte[length];
            in.get(bytes);
            if (checksum != checksum(bytes)) {
                // What follows may be whole, but something is lost.
                complete = false;
                return;
            }
            NoticeFormat.Read read = NoticeFormat.read(bytes);
            complete &= read.unread() == 0;
            read.notices().forEach(notice -> {
                if (notice instanceof Notice.Marker marker) {
                    hold(marker);
                }
            });
        }
    }

    /** Whether all that was ever kept is still known. */
    synchronized boolean isComplete() {
        return complete;
    }

    /** What is known to be invalidated. */
    synchronized List<Notice.Marker> all() {
        return List.copyOf(newest.values());
    }

    /** Keeps it, unless something newer of its kind is kept. */
    synchronized void keep(Notice.Marker marker) throws IOException {
        if (closed || !hold(marker)) {
            return;
        }
        if (file.size() > MOST_BYTES || newest.size() > MOST_MARKERS) {
            rewrite();
        } else {
            append(file, framed(List.of(marker)));
        }
    }

    /** Forgets markers from before {@code oldestMillis}: nothing that is held is so old. */
    synchronized void prune(long oldestMillis) throws IOException {
        if (!closed && newest.values().removeIf(marker -> marker.version().epochMillis() < oldestMillis)) {
            rewrite();
        }
    }

    private boolean hold(Notice.Marker marker) {
        Notice.Marker held = newest.get(nameOf(marker));
        if (held != null && !marker.version().isNewerThan(held.version())) {
            return false;
        }
        newest.put(nameOf(marker), marker);
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
        if (newest.size() > MOST_MARKERS) {
            complete = false;
            newest.clear();
        }
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        FileChannel written = channel(fresh);
        boolean done = false;
        try {
            append(written, framed(newest.values()));
            if (!complete) {
                // Read as a note that is lost.
                append(
                        written,
                        ByteBuffer.allocate(FRAME_BYTES + 1).putInt(0, 1).putInt(Integer.BYTES, 1));
            }
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            done = true;
        } finally {
            (done ? file : written).close();
        }
        file = written;
    }

    private static ByteBuffer framed(Collection<Notice.Marker> markers) {
        List<byte[]> frames = new ArrayList<>();
        int length = 0;
        for (Notice.Marker marker : markers) {
            byte[] frame = NoticeFormat.write(List.of(marker));
            frames.add(frame);
            length += FRAME_BYTES + frame.length;
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        frames.forEach(frame -> out.putInt(frame.length).putInt(checksum(frame)).put(frame));
        return out.flip();
    }

    private static void append(FileChannel to, ByteBuffer frames) throws IOException {
        long at = to.size();
        while (frames.hasRemaining()) {
            at += to.write(frames, at);
        }
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }

    /** Returns when the disk has what was kept before. */
    synchronized void sync() throws IOException {
        if (!closed) {
            file.force(false);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        file.close();
    }
}
