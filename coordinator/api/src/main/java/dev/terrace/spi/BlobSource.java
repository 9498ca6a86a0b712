package dev.terrace.spi;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Bytes of a known length that can be read several times, from anywhere: a retry starts again. Thread-safe. */
public interface BlobSource {
    /** How many there are. */
    long length();

    /** A stream from {@code offset} to the end. The caller closes it. */
    InputStream open(long offset) throws IOException;

    /** These bytes; not copied. */
    static BlobSource of(byte[] bytes) {
        return new BlobSource() {
            @Override
            public long length() {
                return bytes.length;
            }

            @Override
            public InputStream open(long offset) {
                int from = Math.toIntExact(offset);
                return new ByteArrayInputStream(bytes, from, bytes.length - from);
            }
        };
    }

    /** What a file holds now; it must not change any more. */
    static BlobSource of(Path file) throws IOException {
        long length = Files.size(file);
        return new BlobSource() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public InputStream open(long offset) throws IOException {
                FileChannel channel = FileChannel.open(file);
                try {
                    return Channels.newInputStream(channel.position(offset));
                } catch (IOException e) {
                    channel.close();
                    throw e;
                }
            }
        };
    }
}
