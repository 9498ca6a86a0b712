package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which blobs of a chain are needed, or may yet be. What is dead by one prune stays dead: no later generation can name it, see {@link Roots}. So it
 * does not matter how late it is deleted, and a listing that lags leaves garbage at worst.
 */
final class Living {
    private final List<Segment> kept;
    private final long base;
    private final long floor;
    private final Set<String> named;

    private Living(List<Segment> kept, long base, long floor, Set<String> named) {
        this.kept = kept;
        this.base = base;
        this.floor = floor;
        this.named = named;
    }

    /** As of a state. Reads every snapshot that stays; if one of them cannot be read, nothing may be deleted. */
    static Living of(Chain chain, ChainState state, Roots roots) throws BlobException, DamagedException {
        Set<String> named = new HashSet<>();
        name(named, state.snapshot());
        for (Segment segment : roots.kept()) {
            name(named, chain.snapshot(segment.first()));
        }
        return new Living(roots.kept(), state.base().number(), roots.floor(), named);
    }

    private static void name(Set<String> named, Snapshot snapshot) {
        snapshot.files().forEach(file -> named.add(file.blob().name()));
        snapshot.deltas().forEach(delta -> named.add(delta.blob().name()));
    }

    /** Whether a blob of that name can be deleted. */
    boolean isDead(String name) {
        Names.Parts parts = Names.parts(name);
        if (parts == null) {
            return false;
        }
        if (parts.generation() >= 0) {
            return !holds(parts.generation());
        }
        if (parts.epoch() >= floor || named.contains(name)) {
            return false;
        }
        return parts.deltaNumber() < 0 || !holds(parts.deltaNumber());
    }

    private boolean holds(long number) {
        return number >= base || kept.stream().anyMatch(segment -> segment.holds(number));
    }
}
