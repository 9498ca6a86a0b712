package dev.terrace.tier.backup;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Throttle;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Brings blobs onto the disk and compares every byte with what was signed. One that was broken off goes on where it stopped; what is there of
 * it is read again, so that the comparison is over the whole. Thread-safe; holds {@value #BUFFER_BYTES} bytes for each thread.
 */
final class Download {
    private static final int BUFFER_BYTES = 1 << 17;
    private static final String PART = ".part";

    private final BlobStore store;
    private final Unsealing unsealing;
    private final Throttle throttle;
    private final LongConsumer progress;
    private final AtomicLong bytes = new AtomicLong();
    private final Set<String> absent = ConcurrentHashMap.newKeySet();

    /** @param progress told how many bytes are in place */
    Download(BlobStore store, Unsealing unsealing, Throttle throttle, LongConsumer progress) {
        this.store = store;
        this.unsealing = unsealing;
        this.throttle = throttle;
        this.progress = progress;
    }

    /** How many bytes are in place. */
    long brought() {
        return bytes.get();
    }

    /** Names of the blobs that the store did not have when they were asked for last. */
    Set<String> absent() {
        return Set.copyOf(absent);
    }

    /** Where {@code file} is until it is whole. */
    static Path part(Path file) {
        return file.resolveSibling(file.getFileName() + PART);
    }

    /** The file is there, whole and on the disk, when this returns. */
    void file(BlobRef blob, Path target) throws BlobException, IOException {
        unsynced(blob, target);
        Synced.file(target);
    }

    /** As {@link #file}, though it may be gone when the power fails: whoever brings many syncs them while others are brought. */
    void unsynced(BlobRef blob, Path target) throws BlobException, IOException {
        try {
            bring(blob, target);
            absent.remove(blob.name());
        } catch (BlobException e) {
            noteAbsent(blob, e);
            throw e;
        }
    }

    private void noteAbsent(BlobRef blob, BlobException e) {
        if (e.kind() == BlobException.Kind.ABSENT) {
            absent.add(blob.name());
        }
    }

    private void bring(BlobRef blob, Path target) throws BlobException, IOException {
        if (Files.exists(target) && isWhole(blob, target)) {
            add(blob.bytes());
            return;
        }
        Path part = part(target);
        boolean fromStart = !Files.exists(part) || Files.size(part) > blob.bytes();
        if (!isBrought(blob, part, fromStart)) {
            // What was there of it may be what a power failure left.
            if (fromStart || !isBrought(blob, part, true)) {
                throw notTheSame(blob);
            }
        }
        if (blob.isSealed()) {
            unsealing.open(blob, part, target);
            Files.delete(part);
        } else {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private boolean isWhole(BlobRef blob, Path target) throws IOException {
        return blob.isSealed()
                ? unsealing.wasOpened(blob, target)
                : Files.size(target) == blob.bytes()
                        && Sha256.of(BlobSource.of(target)).equals(blob.sha256());
    }

    private boolean isBrought(BlobRef blob, Path part, boolean fromStart) throws BlobException, IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER_BYTES];
        long before = fromStart ? 0 : digest(part, digest, buffer);
        long own = before;
        add(before);
        try (FileChannel out = FileChannel.open(
                        part,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        fromStart ? StandardOpenOption.TRUNCATE_EXISTING : StandardOpenOption.APPEND);
                InputStream in = store.open(blob.name(), before, blob.bytes() - before)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                pause(read);
                digest.update(buffer, 0, read);
                for (ByteBuffer left = ByteBuffer.wrap(buffer, 0, read); left.hasRemaining(); ) {
                    out.write(left);
                }
                own += read;
                add(read);
            }
        } catch (IOException e) {
            if (e.getCause() instanceof BlobException blamed) {
                throw blamed;
            }
            throw e;
        }
        if (Sha256.hex(digest.digest()).equals(blob.sha256())) {
            return true;
        }
        Files.delete(part);
        add(-own);
        return false;
    }

    /** All bytes of a small blob, unsealed. */
    byte[] bytes(BlobRef blob) throws BlobException, IOException {
        byte[] all = store.read(blob.name(), Math.toIntExact(blob.bytes())).orElse(null);
        if (all == null) {
            absent.add(blob.name());
            throw new BlobException(
                    BlobException.Kind.ABSENT,
                    blob.name() + " is gone; terrace backup verify says which restore points that hurts",
                    null);
        }
        absent.remove(blob.name());
        if (!Sha256.of(all).equals(blob.sha256())) {
            throw notTheSame(blob);
        }
        pause(all.length);
        add(all.length);
        return blob.isSealed() ? unsealing.open(blob, all) : all;
    }

    private void pause(int moved) throws BlobException {
        try {
            throttle.take(moved);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(BlobException.Kind.INTERRUPTED, "interrupted during a restore", e);
        }
    }

    private void add(long more) {
        progress.accept(bytes.addAndGet(more));
    }

    private static long digest(Path file, MessageDigest digest, byte[] buffer) throws IOException {
        long length = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                length += read;
            }
        }
        return length;
    }

    private static BlobException notTheSame(BlobRef blob) {
        return new BlobException(
                BlobException.Kind.CORRUPT,
                blob.name() + " is not what was stored; terrace backup verify says which restore points that hurts",
                null);
    }
}
