package dev.terrace.core;

import dev.terrace.config.Policies;
import dev.terrace.config.Policies.Policy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ReplicationMode;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** The replication modes that the settings name. Immutable, thread-safe. */
final class PolicyModes implements Function<CacheKey, ReplicationMode> {
    private final Policies policies;
    private final ReplicationMode strongest;

    PolicyModes(Policies policies) {
        this.policies = policies;
        this.strongest = policies.all().stream()
                .map(PolicyModes::of)
                .max(ReplicationMode::compareTo)
                .orElse(ReplicationMode.ASYNC);
    }

    static ReplicationMode of(Policy policy) {
        return switch (policy.replication()) {
            case ASYNC -> ReplicationMode.ASYNC;
            case QUORUM -> ReplicationMode.QUORUM;
            case SYNC -> ReplicationMode.SYNC;
        };
    }

    /** That of what concerns whole caches. */
    ReplicationMode strongest() {
        return strongest;
    }

    @Override
    public ReplicationMode apply(CacheKey key) {
        if (key.cache().startsWith(Markers.RESERVED_PREFIX)) {
            return strongest;
        }
        return of(
                policies.hasClasses()
                        ? policies.of(key.cache(), () -> new String(key.keyBytes(), StandardCharsets.UTF_8))
                        : policies.ofCache(key.cache()));
    }
}
