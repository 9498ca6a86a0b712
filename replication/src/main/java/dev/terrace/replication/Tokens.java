package dev.terrace.replication;

import java.util.UUID;

/** Names for incarnations. */
final class Tokens {
    private Tokens() {}

    static String random() {
        return UUID.randomUUID().toString();
    }
}
