package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Brings one file into a repository. Known from the snapshot before by name, length and tail: nothing is read. Known by content: nothing is
 * sent. Already there under the name it would get, because an earlier try died: nothing is sent either. Who distrusts the repository looks whether
 * what is known is there, and sends what is not. Thread-safe.
 */
public final class FileUpload {
    private final BlobStore store;
    private final int writer;
    private final long epoch;
    private final Envelope envelope;
    private final boolean distrust;
    private final Map<String, FileRef> byName = new HashMap<>();
    private final Map<String, BlobRef> byContent = new HashMap<>();

    /** For one snapshot after {@code before}, which is believed to be there. */
    public FileUpload(Repository repository, int writer, @Nullable ChainState before) {
        this(repository, writer, before, false);
    }

    /**
     * For one snapshot after {@code before}.
     *
     * @param distrust whether to look for blobs that earlier snapshots brought
     */
    public FileUpload(Repository repository, int writer, @Nullable ChainState before, boolean distrust) {
        this.store = repository.store();
        this.envelope = repository.envelope();
        this.distrust = distrust;
        this.writer = writer;
        this.epoch = before == null ? 0 : before.roots().epoch();
        if (before != null) {
            before.snapshot().files().stream().filter(this::isInThisEnvelope).forEach(file -> {
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

    /** Who may open it must not depend on when it was sent. */
    private boolean isInThisEnvelope(FileRef file) {
        return Names.suffix(file.blob().name()).equals(envelope.suffix());
    }

    /** Brings it up, or finds it. */
    public Outcome bring(Checkpoint.File file) throws BlobException, IOException {
        long length = envelope.length(file.source().length());
        String tail = file.tail();
        FileRef known = byName.get(file.name());
        if (known != null
                && known.blob().bytes() == length
                && known.tail().equals(tail)
                && (!distrust || isThere(known.blob()))) {
            return new Outcome(known, 0);
        }
        BlobSource sent = envelope.wrap(file.source());
        String sha256 = Sha256.of(sent);
        BlobRef same = byContent.get(sha256);
        if (same != null && !distrust) {
            return new Outcome(new FileRef(file.name(), tail, same), 0);
        }
        // Under the name that earlier snapshots know it by: that mends them, too.
        BlobRef blob = same == null ? new BlobRef(Names.data(writer, epoch, sha256, envelope), length, sha256) : same;
        boolean send = !isThere(blob);
        if (send) {
            store.write(blob.name(), sent, false);
        }
        return new Outcome(new FileRef(file.name(), tail, blob), send ? length : 0);
    }

    private boolean isThere(BlobRef blob) throws BlobException {
        Optional<BlobStore.Stat> there = store.stat(blob.name());
        return there.isPresent() && there.get().bytes() == blob.bytes();
    }
}
