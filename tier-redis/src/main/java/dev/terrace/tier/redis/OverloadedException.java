package dev.terrace.tier.redis;

import org.redisson.client.RedisException;

/** A command was not sent, because too much waits for its server already. */
final class OverloadedException extends RedisException {
    private static final long serialVersionUID = 1L;

    OverloadedException(String message) {
        super(message);
    }
}
