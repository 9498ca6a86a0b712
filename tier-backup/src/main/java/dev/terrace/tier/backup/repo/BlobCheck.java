package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Compares blobs with what was signed for them. For one thread. */
final class BlobCheck {
    private static final int BUFFER_BYTES = 1 << 16;

    private final BlobStore store;
    private final LongConsumer progress;
    private long bytes;
    private long blobsRead;

    /** @param progress told the bytes read so far */
    BlobCheck(BlobStore store, LongConsumer progress) {
        this.store = store;
        this.progress = progress;
    }

    /** @param detail for people, without the name */
    record Wrong(Problem.Kind kind, String detail) {}

    /**
     * What is wrong with a blob; null when nothing is.
     *
     * @param inFull whether every byte is read, not only its length
     * @throws BlobException when the store cannot be asked
     */
    @Nullable
    Wrong wrong(BlobRef blob, boolean inFull) throws BlobException {
        Optional<BlobStore.Stat> stat = store.stat(blob.name());
        if (stat.isEmpty()) {
            return new Wrong(Problem.Kind.MISSING, "it is gone");
        }
        if (stat.get().bytes() != blob.bytes()) {
            return new Wrong(
                    Problem.Kind.WRONG_LENGTH,
                    "it has " + stat.get().bytes() + " bytes, " + blob.bytes() + " were stored");
        }
        if (!inFull) {
            return null;
        }
        blobsRead++;
        return hash(blob).equals(blob.sha256())
                ? null
                : new Wrong(Problem.Kind.WRONG_BYTES, "its bytes are not those that were stored");
    }

    private String hash(BlobRef blob) throws BlobException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = store.open(blob.name(), 0, blob.bytes())) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                bytes += read;
                progress.accept(bytes);
            }
        } catch (IOException e) {
            throw new BlobException(
                    BlobException.Kind.UNAVAILABLE,
                    blob.name() + " could not be read to its end: " + e.getMessage(),
                    e);
        }
        return Sha256.hex(digest.digest());
    }

    /** How much was read. */
    long bytes() {
        return bytes;
    }

    /** How many blobs were read in full. */
    long blobsRead() {
        return blobsRead;
    }
}
