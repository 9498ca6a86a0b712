package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.OutputStream;

/** Gathers chunks and seals them; the last one at closing. */
final class BoxOutput extends OutputStream {
    private final OutputStream out;
    private final BoxChunks chunks;
    private final byte[] gathered;
    private int length;
    private boolean failed;
    private boolean closed;

    BoxOutput(OutputStream out, BoxChunks chunks) {
        this.out = out;
        this.chunks = chunks;
        this.gathered = new byte[chunks.chunkBytes()];
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        if (closed) {
            throw new IOException("the box is closed");
        }
        int at = from;
        int left = count;
        while (left > 0) {
            if (length == gathered.length) {
                send(false); // Not before there is more: the last chunk is marked.
            }
            int part = Math.min(left, gathered.length - length);
            System.arraycopy(bytes, at, gathered, length, part);
            length += part;
            at += part;
            left -= part;
        }
    }

    private void send(boolean last) throws IOException {
        boolean sent = false;
        try {
            out.write(chunks.seal(gathered, length, last));
            length = 0;
            sent = true;
        } finally {
            failed |= !sent;
        }
    }

    /** Sends nothing: a chunk has one length. */
    @Override
    public void flush() throws IOException {
        out.flush();
    }

    /** Completes the box, unless writing it has failed before. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try (out) {
            if (!failed) {
                send(true);
            }
        }
    }
}
