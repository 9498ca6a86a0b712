package dev.terrace.tier.backup;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import dev.terrace.tier.backup.repo.SigningKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The keys of a writer's folder as its repository has them: the file {@code KEYS}, which only the master key opens, at {@code keys/W}. */
final class RepositoryRing implements Shipping.KeysAhead {
    private static final int MOST_BYTES = 64 << 20;

    private final Path file;
    private byte @Nullable [] shipped;

    /** @param file of the folder; absent in a plain one */
    RepositoryRing(Path file) {
        this.file = file;
    }

    static String name(int writer) {
        return String.format(Locale.ROOT, "keys/%06d", writer);
    }

    @Override
    public void bring(BlobStore store, int writer) throws BlobException, IOException {
        if (!Files.exists(file)) {
            return;
        }
        byte[] now = Files.readAllBytes(file);
        if (!Arrays.equals(now, shipped)) {
            store.write(name(writer), now, false);
            shipped = now;
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
