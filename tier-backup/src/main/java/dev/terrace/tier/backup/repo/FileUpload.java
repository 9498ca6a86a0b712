package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Brings one file into a repository. Known from the snapshot before by name, length and tail: nothing is read. Known by content: nothing is
 * sent. Already there under the name it would get, because an earlier try died: nothing is sent either. Thread-safe.
 */
public final class FileUpload {
    private static final int BUFFER_BYTES = 1 << 16;

    private final BlobStore store;
    private final int writer;
    private final long epoch;
    private final Map<String, FileRef> byName = new HashMap<>();
    private final Map<String, BlobRef> byContent = new HashMap<>();

    /** For one snapshot after {@code before}. */
    public FileUpload(BlobStore store, int writer, @Nullable ChainState before) {
        this.store = store;
        this.writer = writer;
        this.epoch = before == null ? 0 : before.roots().epoch();
        if (before != null) {
            before.snapshot().files().forEach(file -> {
                byName.put(file.file(), file);
                byContent.put(file.blob().sha256(), file.blob());
            });
        }
    }

    /**
     * Where a file is now.
     *
     * @param ref as the snapshot names it
     * @param sentBytes how much went over the wire
     */
    public record Outcome(FileRef ref, long sentBytes) {}

    /** Brings it up, or finds it. */
    public Outcome bring(Checkpoint.File file) throws BlobException, IOException {
        long length = file.source().length();
        String tail = file.tail();
        FileRef known = byName.get(file.name());
        if (known != null && known.blob().bytes() == length && known.tail().equals(tail)) {
            return new Outcome(known, 0);
        }
        String sha256 = hash(file);
        BlobRef same = byContent.get(sha256);
        if (same != null) {
            return new Outcome(new FileRef(file.name(), tail, same), 0);
        }
        BlobRef blob = new BlobRef(Names.data(writer, epoch, sha256), length, sha256);
        Optional<BlobStore.Stat> there = store.stat(blob.name());
        boolean send = there.isEmpty() || there.get().bytes() != length;
        if (send) {
            store.write(blob.name(), file.source(), false);
        }
        return new Outcome(new FileRef(file.name(), tail, blob), send ? length : 0);
    }

    private static String hash(Checkpoint.File file) throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = file.source().open(0)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        return Sha256.hex(digest.digest());
    }
}
