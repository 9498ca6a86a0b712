package dev.terrace.tier.backup;

import dev.terrace.spi.BlobSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A sealed box of what another source gives, made anew whenever it is read: nothing but its head is kept. Whoever reads it twice gets the
 * same bytes, and the same nonces with them, because the source does not change. Thread-safe.
 */
final class BoxSource implements BlobSource {
    private final BoxHeader header;
    private final BlobSource plain;

    BoxSource(BoxHeader header, BlobSource plain) {
        this.header = header;
        this.plain = plain;
    }

    /** How long a box with such a head is. */
    static long length(int headBytes, int chunkBytes, long plain) {
        return headBytes + plain + chunks(chunkBytes, plain) * AesGcm.TAG_BYTES;
    }

    /** An empty box has one chunk, too. */
    private static long chunks(int chunkBytes, long plain) {
        return Math.max(1, (plain + chunkBytes - 1) / chunkBytes);
    }

    @Override
    public long length() {
        return length(header.bytes().length, header.chunkBytes(), plain.length());
    }

    @Override
    public InputStream open(long offset) throws IOException {
        byte[] head = header.bytes();
        if (offset < head.length) {
            int from = (int) offset;
            return new SequenceInputStream(new ByteArrayInputStream(head, from, head.length - from), new Sealing(0));
        }
        int sealed = header.chunkBytes() + AesGcm.TAG_BYTES;
        long inChunks = offset - head.length;
        InputStream from = new Sealing(inChunks / sealed);
        try {
            from.skipNBytes(inChunks % sealed);
            return from;
        } catch (IOException e) {
            from.close();
            throw e;
        }
    }

    /** Seals chunk after chunk. */
    private final class Sealing extends ChunkedInput {
        private final BoxChunks chunks;
        private final InputStream in;
        private final byte[] gathered = new byte[header.chunkBytes()];
        private long left;

        Sealing(long first) throws IOException {
            this(first, plain.open(Math.min(plain.length(), first * header.chunkBytes())));
        }

        private Sealing(long first, InputStream in) throws IOException {
            super(in);
            this.in = in;
            this.left = Math.max(0, chunks(header.chunkBytes(), plain.length()) - first);
            this.chunks = new BoxChunks(header, first);
        }

        @Override
        byte @Nullable [] next() throws IOException {
            if (left == 0) {
                return null;
            }
            left--;
            int length = in.readNBytes(gathered, 0, gathered.length);
            if (left > 0 && length < gathered.length) {
                throw new IOException("what is being sealed has become shorter");
            }
            return chunks.seal(gathered, length, left == 0);
        }
    }
}
