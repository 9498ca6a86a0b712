package dev.terrace.tier.backup;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Bytes that are made chunk by chunk out of another stream. For one thread. */
abstract class ChunkedInput extends InputStream {
    private final InputStream in;
    private byte[] chunk = {};
    private int at;

    /** @param in closed with this */
    ChunkedInput(InputStream in) {
        this.in = in;
    }

    /** The next chunk, which may be empty; null behind the last. */
    abstract byte @Nullable [] next() throws IOException;

    @Override
    public final int read() throws IOException {
        return hasMore() ? chunk[at++] & 0xFF : -1;
    }

    @Override
    public final int read(byte[] into, int from, int count) throws IOException {
        if (count == 0) {
            return 0;
        }
        if (!hasMore()) {
            return -1;
        }
        int part = Math.min(count, chunk.length - at);
        System.arraycopy(chunk, at, into, from, part);
        at += part;
        return part;
    }

    private boolean hasMore() throws IOException {
        while (at == chunk.length) {
            byte[] more = next();
            if (more == null) {
                return false;
            }
            chunk = more;
            at = 0;
        }
        return true;
    }

    @Override
    public final void close() throws IOException {
        in.close();
    }
}
