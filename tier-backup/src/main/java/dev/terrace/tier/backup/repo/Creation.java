package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.util.Arrays;

/**
 * Creates a small blob once for all. A store that cannot do that in one step is looked at first; then only one process may write
 * ({@link dev.terrace.spi.BlobCapabilities#createsIfAbsent()}).
 */
final class Creation {
    private Creation() {}

    /**
     * Creates it.
     *
     * @return whether the blob holds these bytes now, written by this call or by an earlier try of it
     * @throws BlobException when that is not known
     */
    static boolean create(BlobStore store, String name, byte[] bytes) throws BlobException {
        boolean once = store.capabilities().createsIfAbsent();
        if (!once && store.stat(name).isPresent()) {
            return holds(store, name, bytes);
        }
        try {
            return store.write(name, bytes, once) == BlobStore.Written.STORED || holds(store, name, bytes);
        } catch (BlobException e) {
            if (e.kind() == BlobException.Kind.INTERRUPTED || store.stat(name).isEmpty()) {
                throw e;
            }
            return holds(store, name, bytes); // It had taken effect, or somebody else's had.
        }
    }

    private static boolean holds(BlobStore store, String name, byte[] bytes) throws BlobException {
        try {
            return store.read(name, bytes.length)
                    .filter(held -> Arrays.equals(held, bytes))
                    .isPresent();
        } catch (BlobException e) {
            if (e.kind() == BlobException.Kind.TOO_LARGE) {
                return false;
            }
            throw e;
        }
    }
}
