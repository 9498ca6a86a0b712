package dev.terrace.node.replay;

import com.github.luben.zstd.ZstdInputStream;
import dev.terrace.api.SetupException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads a trace: one key per line, as text, gzip or zstd, told apart by their first bytes. Everything that is wrong with
 * the file is a {@link SetupException} that names the file and the line. Reading is for one thread; {@link #fraction} for
 * all.
 */
final class TraceFile implements AutoCloseable {
    /** The longest key of the default limits. */
    static final int LONGEST_LINE_BYTES = 1024;

    private static final String EXCERPT = "orm-busy-excerpt.keys.gz";
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MAGIC_BYTES = 4;

    private final String name;
    private final long size;
    private final Counting raw;
    private final InputStream in;
    private final byte[] line = new byte[LONGEST_LINE_BYTES];
    private long lines;

    private TraceFile(String name, long size, InputStream raw) throws IOException {
        this.name = name;
        this.size = size;
        this.raw = new Counting(raw);
        this.in = new BufferedInputStream(decompressed(new BufferedInputStream(this.raw, BUFFER_BYTES)), BUFFER_BYTES);
    }

    /** Opens {@code file}, or the bundled excerpt when it is null. */
    static TraceFile open(@Nullable Path file) {
        String name = file == null ? "the bundled " + EXCERPT : "'" + file + "'";
        InputStream raw = null;
        try {
            if (file == null) {
                URL excerpt = TraceFile.class.getResource(EXCERPT);
                if (excerpt == null) {
                    throw new SetupException(name + " is missing", "build again, or name a file");
                }
                URLConnection connection = excerpt.openConnection();
                raw = connection.getInputStream();
                return new TraceFile(name, connection.getContentLengthLong(), raw);
            }
            if (Files.isDirectory(file)) {
                throw new SetupException(name + " is a folder", "name a file with one key per line");
            }
            raw = Files.newInputStream(file);
            return new TraceFile(name, Files.size(file), raw);
        } catch (NoSuchFileException e) {
            throw new SetupException(name + " does not exist", "name a file with one key per line", e);
        } catch (IOException e) {
            closeAfter(raw, e);
            throw new SetupException(
                    name + " cannot be read (" + reason(e) + ")", "name a file with one key per line", e);
        }
    }

    private static void closeAfter(@Nullable InputStream stream, IOException why) {
        if (stream != null) {
            try {
                stream.close();
            } catch (IOException e) {
                why.addSuppressed(e);
            }
        }
    }

    private static InputStream decompressed(BufferedInputStream in) throws IOException {
        in.mark(MAGIC_BYTES);
        byte[] magic = in.readNBytes(MAGIC_BYTES);
        in.reset();
        if (magic.length >= 2 && magic[0] == 0x1F && (magic[1] & 0xFF) == 0x8B) {
            return new GZIPInputStream(in, BUFFER_BYTES);
        }
        if (magic.length == MAGIC_BYTES && ByteBuffer.wrap(magic).getInt() == 0x28B52FFD) {
            return new ZstdInputStream(in);
        }
        return in;
    }

    /** The next key, or null at the end. Blank lines are skipped. */
    @Nullable
    String next() {
        try {
            while (true) {
                int length = readLine();
                if (length < 0) {
                    return null;
                }
                if (length > 0) {
                    return text(length);
                }
            }
        } catch (EOFException e) {
            throw broken("is cut off", e);
        } catch (IOException e) {
            throw broken("is damaged (" + reason(e) + ")", e);
        }
    }

    /** Fills {@link #line}; its length, or -1 at the end. */
    private int readLine() throws IOException {
        int length = 0;
        int next;
        while ((next = in.read()) >= 0 && next != '\n') {
            if (length == LONGEST_LINE_BYTES) {
                lines++;
                throw broken("has more than " + LONGEST_LINE_BYTES + " bytes there, which is no key", null);
            }
            line[length++] = (byte) next;
        }
        if (next < 0 && length == 0) {
            return -1;
        }
        lines++;
        return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
    }

    private String text(int length) throws CharacterCodingException {
        boolean ascii = true;
        for (int i = 0; i < length; i++) {
            if (line[i] >= 0 && line[i] < ' ' && line[i] != '\t' || line[i] == 0x7F) {
                throw broken("holds bytes that are not text", null);
            }
            ascii &= line[i] >= 0;
        }
        if (ascii) {
            return new String(line, 0, length, StandardCharsets.US_ASCII);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw broken("holds bytes that are not UTF-8", e);
        }
    }

    private SetupException broken(String problem, @Nullable Throwable cause) {
        return new SetupException(
                "trace " + name + " " + problem + ", at line " + Math.max(1, lines),
                "a trace is text with one key per line, plain, gzip or zstd",
                cause);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /** What to call it. */
    String name() {
        return name;
    }

    /** How much of the file has been read, 0 to 1. */
    double fraction() {
        return size <= 0 ? 0 : Math.min(1, (double) raw.count.get() / size);
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw broken("cannot be closed (" + reason(e) + ")", e);
        }
    }

    /** Counts bytes for the progress bar. */
    private static final class Counting extends FilterInputStream {
        private final AtomicLong count = new AtomicLong();

        Counting(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int next = super.read();
            add(next < 0 ? 0 : 1);
            return next;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int read = super.read(into, offset, length);
            add(Math.max(0, read));
            return read;
        }

        private void add(int read) {
            count.addAndGet(read);
        }
    }
}
