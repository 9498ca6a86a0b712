package dev.terrace.tier.backup;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.FencedException;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import dev.terrace.tier.backup.repo.SigningKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The keys of a writer's folder as its repository has them: the file {@code KEYS}, which only the master key opens, at {@code keys/W}. */
final class RepositoryRing implements Shipping.KeysAhead {
    private static final int MOST_BYTES = 64 << 20;

    private final Path file;
    private byte @Nullable [] shipped;
    private int shippedAs;

    /** @param file of the folder; absent in a plain one */
    RepositoryRing(Path file) {
        this.file = file;
    }

    static String name(int writer) {
        return Repository.keysOf(writer);
    }

    @Override
    public void bring(BlobStore store, int writer) throws BlobException, IOException, FencedException {
        if (!Files.exists(file)) {
            return;
        }
        byte[] now = Files.readAllBytes(file);
        if (writer != shippedAs || !Arrays.equals(now, shipped)) {
            if (writer != shippedAs) {
                refuseAnother(store, writer, now);
            }
            store.write(name(writer), now, false);
            shipped = now;
            shippedAs = writer;
        }
    }

    /** What was sealed with the keys of another ring can be opened by nothing else. */
    private static void refuseAnother(BlobStore store, int writer, byte[] ours) throws BlobException, FencedException {
        LockedKeys own = LockedKeys.decode(ours);
        LockedKeys there = fetch(store, writer).map(LockedKeys::decode).orElse(null);
        if (own != null && there != null && own.keyId() != there.keyId()) {
            throw new FencedException("the repository holds the keys of another folder under " + name(writer));
        }
    }

    /** The file {@code KEYS} of a writer; empty when its folder is plain. */
    static Optional<byte[]> fetch(BlobStore store, int writer) throws BlobException {
        return store.read(name(writer), MOST_BYTES);
    }

    /** What a folder's generations are signed with. */
    static RepositoryKeys signing(@Nullable KeyRing ring) {
        if (ring == null) {
            return RepositoryKeys.plain();
        }
        List<SigningKey> older = new ArrayList<>();
        for (RingKey key : ring.keys().of(RingKey.Purpose.SIGNING)) {
            if (!key.is(RingKey.State.DESTROYED)) {
                older.add(new SigningKey(key.required()));
            }
        }
        return new RepositoryKeys(
                new SigningKey(
                        ring.keys().requireActive(RingKey.Purpose.SIGNING).required()),
                older);
    }
}
