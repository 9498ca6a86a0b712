package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.util.Optional;

/**
 * The newest generation of each writer, remembered in another store than the repository's: who puts the repository back to an older
 * state does not put this back with it. Thread-safe; does not own the store.
 */
public final class Anchor {
    private static final int MOST_BYTES = 4096;

    private final BlobStore store;
    private final RepositoryKeys keys;

    /** In a store of its own. */
    public Anchor(BlobStore store, RepositoryKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    /** Remembers. Best after each publication; one that is missed makes the anchor older, not wrong. */
    public void drop(int writer, Ref head) throws BlobException {
        String json = json(writer) + head.number() + ",\"hash\":\"" + head.hash() + "\"}";
        store.write(Names.anchor(writer), Signed.sign(json, keys.current()), false);
    }

    private static String json(int writer) {
        return "{\"format\":1,\"kind\":\"anchor\",\"writer\":" + writer + ",\"number\":";
    }

    /** What was remembered of a writer. */
    public Optional<Ref> read(int writer) throws BlobException, DamagedException {
        String name = Names.anchor(writer);
        Optional<byte[]> all = store.read(name, MOST_BYTES);
        if (all.isEmpty()) {
            return Optional.empty();
        }
        byte[] line = Signed.open(name, all.get(), keys);
        try {
            Cursor in = new Cursor(line).literal(json(writer));
            long number = in.number();
            Ref ref = new Ref(number, in.literal(",\"hash\":").string());
            in.literal("}").end();
            return Optional.of(ref);
        } catch (IllegalArgumentException e) {
            throw new DamagedException(Problem.Kind.WRONG_PLACE, name, "it is not the anchor of writer " + writer);
        }
    }
}
