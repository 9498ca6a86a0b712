package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who writes to a repository: dense numbers, each taken by creating it. Thread-safe. */
final class Registry {
    private static final Logger LOG = LoggerFactory.getLogger(Registry.class);
    private static final int MOST_BYTES = 4096;
    private static final int PAGE = 100;

    private final BlobStore store;
    private final RepositoryKeys keys;
    private final SecureRandom random = new SecureRandom();

    Registry(BlobStore store, RepositoryKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    /** The highest number that was ever taken; they begin with 1, and an entry below may have been lost. */
    int count() throws BlobException {
        return beyondHoles(dense());
    }

    /** The last number before the first that has no entry. */
    int dense() throws BlobException {
        return (int) Numbering.last(0, number -> number <= Names.MOST_WRITERS && isRegistered((int) number));
    }

    /** Whether it has an entry. */
    boolean isRegistered(int number) throws BlobException {
        return store.stat(Names.registered(number)).isPresent();
    }

    /**
     * An entry that was lost must not hide the writers after it, nor its own writer's backups: who took the number again would write over
     * the keys that open them. A listing shows who is there; it only ever leads further up.
     */
    private int beyondHoles(int dense) throws BlobException {
        int highest = dense;
        for (String place : List.of(Names.REGISTERED, Names.FOLDERS, Names.KEYS)) {
            highest = Math.max(highest, highest(place, dense));
        }
        return highest;
    }

    private int highest(String place, int from) throws BlobException {
        int highest = from;
        String after = Names.behind(place, highest);
        do {
            BlobStore.Page page = store.list(place, after, PAGE);
            for (BlobStore.Stat blob : page.blobs()) {
                highest = Math.max(highest, Names.writerIn(place, blob.name()));
            }
            after = later(page.next(), Names.behind(place, highest));
        } while (after != null);
        return highest;
    }

    /** Not through all that one writer has. */
    private static @Nullable String later(@Nullable String next, String behind) {
        return next == null || next.compareTo(behind) > 0 ? next : behind;
    }

    /** By name, because a listing may lag. */
    private boolean hasLeftSomething(int writer) throws BlobException {
        return store.stat(Names.keys(writer)).isPresent()
                || store.stat(Names.boundary(writer, 1)).isPresent()
                || store.stat(Names.generation(writer, 1)).isPresent();
    }

    /** Takes the next number. */
    int register() throws BlobException {
        while (true) {
            int dense = dense();
            requireReadable(dense);
            int number = beyondHoles(dense) + 1;
            while (hasLeftSomething(number)) {
                number++;
            }
            if (number > dense + 1) {
                LOG.error(
                        "the registry of a backup repository has lost an entry, 'terrace backup verify' names it"
                                + " repository={} entry={}",
                        store.location(),
                        Names.registered(dense + 1));
            }
            if (number > Names.MOST_WRITERS) {
                throw new BlobException(
                        BlobException.Kind.UNSUPPORTED,
                        "the repository at " + store.location() + " has had " + Names.MOST_WRITERS
                                + " writers; begin another one",
                        null);
            }
            byte[] nonce = new byte[8];
            random.nextBytes(nonce);
            String json = json(number) + Sha256.hex(nonce) + "\"}";
            if (Creation.create(store, Names.registered(number), Signed.sign(json, keys.current()))) {
                return number;
            }
        }
    }

    /** Who registers behind a writer that is not there is found by listings only: that it is there must not be some proxy's word only. */
    private void requireReadable(int number) throws BlobException {
        if (number > 0 && store.read(Names.registered(number), MOST_BYTES).isEmpty()) {
            throw new BlobException(
                    BlobException.Kind.UNAVAILABLE,
                    "the store at " + store.location() + " said that " + Names.registered(number)
                            + " is there, and has nothing under that name",
                    null);
        }
    }

    private static String json(int number) {
        return "{\"format\":1,\"kind\":\"writer\",\"writer\":" + number + ",\"nonce\":\"";
    }

    /** Throws when the entry of that number is not what was registered. */
    void check(int number) throws BlobException, DamagedException {
        String name = Names.registered(number);
        byte[] all = store.read(name, MOST_BYTES)
                .orElseThrow(() ->
                        new DamagedException(Problem.Kind.MISSING, name, "this writer was taken out of the registry"));
        byte[] line = Signed.open(name, all, keys);
        if (!new String(line, StandardCharsets.US_ASCII).matches(Pattern.quote(json(number)) + "[0-9a-f]{16}\"}")) {
            throw new DamagedException(Problem.Kind.WRONG_PLACE, name, "it is not the entry of writer " + number);
        }
    }
}
