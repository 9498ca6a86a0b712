package dev.terrace.tier.backup;

import dev.terrace.spi.BlobCapabilities;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import java.io.InputStream;
import java.net.URI;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A real store whose user dies at one of its changes to it: from then on nothing it does takes effect. Thread-safe. */
final class DyingStore implements BlobStore {
    /** Nobody but a test catches it. */
    static final class Death extends Error {
        private static final long serialVersionUID = 1L;

        Death() {
            super("died, as the test says");
        }
    }

    private final BlobStore store;
    private long left = Long.MAX_VALUE;
    private boolean takesEffect;
    private boolean dead;

    DyingStore(BlobStore store) {
        this.store = store;
    }

    /**
     * Plans it.
     *
     * @param changes how many take effect before
     * @param after whether the last one does, too
     */
    synchronized void dieAfter(long changes, boolean after) {
        left = changes;
        takesEffect = after;
    }

    synchronized boolean isDead() {
        return dead;
    }

    private interface Change<T> {
        T make() throws BlobException;
    }

    private synchronized <T> T change(Change<T> change) throws BlobException {
        alive();
        if (left-- > 0) {
            return change.make();
        }
        dead = true;
        if (takesEffect) {
            change.make();
        }
        throw new Death();
    }

    private synchronized void alive() {
        if (dead) {
            throw new Death();
        }
    }

    @Override
    public URI location() {
        return store.location();
    }

    @Override
    public BlobCapabilities capabilities() {
        return store.capabilities();
    }

    @Override
    public Optional<Stat> stat(String name) throws BlobException {
        alive();
        return store.stat(name);
    }

    @Override
    public Optional<byte[]> read(String name, int mostBytes) throws BlobException {
        alive();
        return store.read(name, mostBytes);
    }

    @Override
    public InputStream open(String name, long offset, long length) throws BlobException {
        alive();
        return store.open(name, offset, length);
    }

    @Override
    public Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        return change(() -> store.write(name, source, onlyIfAbsent));
    }

    @Override
    public Page list(String prefix, @Nullable String after, int most) throws BlobException {
        alive();
        return store.list(prefix, after, most);
    }

    @Override
    public void delete(Collection<String> names) throws BlobException {
        change(() -> {
            store.delete(names);
            return true;
        });
    }

    @Override
    public int discardUnfinished(long olderThanMillis) throws BlobException {
        return change(() -> store.discardUnfinished(olderThanMillis));
    }

    @Override
    public void close() {
        store.close();
    }
}
