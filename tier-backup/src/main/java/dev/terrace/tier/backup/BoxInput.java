package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/** Opens chunks one after the other; gives nothing of a chunk that was not checked as a whole. */
final class BoxInput extends InputStream {
    private final PushbackInputStream in;
    private final BoxChunks chunks;
    private final byte[] sealed;
    private byte[] opened = {};
    private int at;
    private boolean ended;

    BoxInput(InputStream in, BoxChunks chunks) {
        this.in = new PushbackInputStream(in, 1);
        this.chunks = chunks;
        this.sealed = new byte[chunks.sealedBytes()];
    }

    @Override
    public int read() throws IOException {
        return hasMore() ? opened[at++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] into, int from, int count) throws IOException {
        if (count == 0) {
            return 0;
        }
        if (!hasMore()) {
            return -1;
        }
        int part = Math.min(count, opened.length - at);
        System.arraycopy(opened, at, into, from, part);
        at += part;
        return part;
    }

    private boolean hasMore() throws IOException {
        while (at == opened.length && !ended) {
            int length = in.readNBytes(sealed, 0, sealed.length);
            boolean last = length < sealed.length || isAtEnd();
            opened = chunks.open(sealed, length, last);
            at = 0;
            ended = last;
        }
        return at < opened.length;
    }

    private boolean isAtEnd() throws IOException {
        int next = in.read();
        if (next >= 0) {
            in.unread(next);
        }
        return next < 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
