package dev.terrace.tier.backup.blob;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** So many bytes from where a channel stands; closes the channel with itself. For one thread. */
final class FileRange extends InputStream {
    private final FileChannel channel;
    private final Path file;
    private long left;

    FileRange(FileChannel channel, Path file, long length) {
        this.channel = channel;
        this.file = file;
        left = length;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (left == 0) {
            return -1;
        }
        int count = piece(ByteBuffer.wrap(into, offset, (int) Math.min(length, left)));
        if (count < 0) {
            BlobException shorter = new BlobException(Kind.CORRUPT, file + " became shorter while it was read", null);
            throw new IOException(shorter.getMessage(), shorter);
        }
        left -= count;
        return count;
    }

    private int piece(ByteBuffer into) throws IOException {
        try {
            return channel.read(into);
        } catch (IOException e) {
            BlobException cause = Failures.of(file, e);
            throw new IOException(cause.getMessage(), cause);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
