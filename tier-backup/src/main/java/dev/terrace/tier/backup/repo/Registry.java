package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.regex.Pattern;

/** Who writes to a repository: dense numbers, each taken by creating it. Thread-safe. */
final class Registry {
    private static final int MOST_BYTES = 4096;

    private final BlobStore store;
    private final RepositoryKeys keys;
    private final SecureRandom random = new SecureRandom();

    Registry(BlobStore store, RepositoryKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    /** How many there are; they are numbered from 1. */
    int count() throws BlobException {
        return (int) Numbering.last(
                0,
                number -> number <= Names.MOST_WRITERS
                        && store.stat(Names.registered((int) number)).isPresent());
    }

    /** Takes the next number. */
    int register() throws BlobException {
        while (true) {
            int last = count();
            requireReadable(last);
            int number = last + 1;
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

    /** Who registers behind a writer that is not there is found by nobody: that it is there must not be some proxy's word only. */
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
