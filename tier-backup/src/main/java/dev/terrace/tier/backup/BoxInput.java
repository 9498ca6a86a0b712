package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import org.jspecify.annotations.Nullable;

/** Opens chunks one after the other; gives nothing of a chunk that was not checked as a whole. */
final class BoxInput extends ChunkedInput {
    private final PushbackInputStream in;
    private final BoxChunks chunks;
    private final byte[] sealed;
    private boolean ended;

    BoxInput(InputStream in, BoxChunks chunks) {
        this(new PushbackInputStream(in, 1), chunks);
    }

    private BoxInput(PushbackInputStream in, BoxChunks chunks) {
        super(in);
        this.in = in;
        this.chunks = chunks;
        this.sealed = new byte[chunks.sealedBytes()];
    }

    @Override
    byte @Nullable [] next() throws IOException {
        if (ended) {
            return null;
        }
        int length = in.readNBytes(sealed, 0, sealed.length);
        boolean last = length < sealed.length || isAtEnd();
        byte[] opened = chunks.open(sealed, length, last);
        ended = last;
        return opened;
    }

    private boolean isAtEnd() throws IOException {
        int next = in.read();
        if (next >= 0) {
            in.unread(next);
        }
        return next < 0;
    }
}
