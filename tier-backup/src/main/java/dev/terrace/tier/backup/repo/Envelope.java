package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobSource;
import java.io.IOException;

/** What files and deltas are put into before they are sent. Thread-safe. */
public interface Envelope {
    /** None: they are sent as they are. */
    Envelope NONE = new Envelope() {
        @Override
        public String suffix() {
            return "";
        }

        @Override
        public long length(long plain) {
            return plain;
        }

        @Override
        public BlobSource wrap(BlobSource plain) {
            return plain;
        }
    };

    /** Ends the names of blobs: who could open them. Empty, or a full stop, {@code box-} and 16 hex digits. */
    String suffix();

    /** How long {@code plain} bytes are in it. */
    long length(long plain);

    /**
     * Puts bytes into it. The same ones whenever the result is read, anew for each call.
     *
     * @param plain must not change any more
     */
    BlobSource wrap(BlobSource plain) throws IOException;
}
