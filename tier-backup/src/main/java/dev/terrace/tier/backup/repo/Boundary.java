package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;

/**
 * The number below which a chain's generations count only if a later one keeps them by number and hash. Only ever raised: each value
 * is a blob of its own, created once, numbered without gaps; so a stalled process cannot lower it. Thread-safe.
 */
final class Boundary {
    private static final int MOST_BYTES = 4096;
    private static final int MOST_STEPS = 999_999;

    private final BlobStore store;
    private final RepositoryKeys keys;
    private final int writer;
    private int step;
    private long value;

    Boundary(BlobStore store, RepositoryKeys keys, int writer) {
        this.store = store;
        this.keys = keys;
        this.writer = writer;
    }

    /** What it is now; 0 before the first prune. */
    synchronized long read() throws BlobException, DamagedException {
        long last = Numbering.last(
                step,
                number -> number <= MOST_STEPS
                        && store.stat(Names.boundary(writer, (int) number)).isPresent());
        if (last != step) {
            value = decode((int) last);
            step = (int) last;
        }
        return value;
    }

    /** How many values there were so far. */
    synchronized int steps() throws BlobException, DamagedException {
        read();
        return step;
    }

    /** Throws when a value, of which only the last one counts, is not what it was. */
    void check(int number) throws BlobException, DamagedException {
        decode(number);
    }

    /** Makes it at least {@code atLeast}. */
    synchronized void raise(long atLeast) throws BlobException, DamagedException {
        while (read() < atLeast) {
            if (step == MOST_STEPS) {
                throw new BlobException(
                        BlobException.Kind.UNSUPPORTED,
                        "writer " + writer + " was pruned " + step + " times; begin another repository",
                        null);
            }
            String json = json(step + 1).append(atLeast).append('}').toString();
            Creation.create(store, Names.boundary(writer, step + 1), Signed.sign(json, keys.current()));
        }
    }

    private StringBuilder json(int number) {
        return new StringBuilder("{\"format\":1,\"kind\":\"boundary\",\"writer\":")
                .append(writer)
                .append(",\"step\":")
                .append(number)
                .append(",\"boundary\":");
    }

    private long decode(int number) throws BlobException, DamagedException {
        String name = Names.boundary(writer, number);
        byte[] all = store.read(name, MOST_BYTES)
                .orElseThrow(() -> new DamagedException(Problem.Kind.MISSING, name, "it was there and is gone"));
        byte[] line = Signed.open(name, all, keys);
        try {
            Cursor in = new Cursor(line).literal(json(number).toString());
            long found = in.number();
            in.literal("}").end();
            return found;
        } catch (IllegalArgumentException e) {
            throw new DamagedException(
                    Problem.Kind.WRONG_PLACE, name, "it is not boundary " + number + " of writer " + writer);
        }
    }
}
