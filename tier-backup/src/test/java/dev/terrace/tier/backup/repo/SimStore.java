package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobCapabilities;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A store of a simulation: each call is a step; processes are killed, answers lost, requests late, listings old. */
final class SimStore implements BlobStore {
    /** The process was killed here. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("killed", null, false, false);
        }
    }

    final NavigableMap<String, byte[]> blobs = new TreeMap<>();
    private final Random random;
    private final Interleaving steps;
    private final RepositoryMutant mutant;
    private final List<Runnable> late = new ArrayList<>();
    private NavigableMap<String, byte[]> old = new TreeMap<>();
    private final Set<Integer> blind = new HashSet<>();
    private final Set<String> seen = new HashSet<>();
    double killing;
    double failing;
    long discardedBeforeMillis;

    SimStore(Random random, Interleaving steps, RepositoryMutant mutant) {
        this.random = random;
        this.steps = steps;
        this.mutant = mutant;
    }

    private void step() {
        if (steps.isQuiet()) {
            return;
        }
        steps.step();
        if (random.nextDouble() < killing) {
            throw new Killed();
        }
        if (!late.isEmpty() && random.nextInt(8) == 0) {
            late.remove(random.nextInt(late.size())).run();
        }
        if (random.nextInt(6) == 0) {
            old = new TreeMap<>(blobs);
        }
    }

    /** Does it now, or fails having done it, not having done it, or doing it later. */
    private void effect(Runnable change) throws BlobException {
        if (!steps.isQuiet() && random.nextDouble() < failing) {
            switch (random.nextInt(3)) {
                case 0 -> change.run();
                case 1 -> late.add(change);
                default -> {}
            }
            if (random.nextInt(4) == 0) {
                throw new Killed();
            }
            throw new BlobException(BlobException.Kind.UNAVAILABLE, "no answer", null);
        }
        change.run();
    }

    @Override
    public URI location() {
        return URI.create("sim:/repository");
    }

    @Override
    public BlobCapabilities capabilities() {
        return new BlobCapabilities(true);
    }

    @Override
    public Optional<Stat> stat(String name) {
        step();
        boolean isBoundary = name.contains("/boundary/");
        if (mutant == RepositoryMutant.NO_CHECK_AFTER_PUBLISHING
                && isBoundary
                && blind.remove(steps.current())
                && !seen.contains(steps.current() + name)) {
            return Optional.empty();
        }
        Map<String, byte[]> view =
                mutant == RepositoryMutant.LISTING_DECIDES && name.contains("/gen/") && !steps.isQuiet() ? old : blobs;
        byte[] held = view.get(name);
        if (held != null && isBoundary) {
            seen.add(steps.current() + name);
        }
        return held == null ? Optional.empty() : Optional.of(new Stat(name, held.length, 0));
    }

    @Override
    public Optional<byte[]> read(String name, int mostBytes) {
        step();
        return Optional.ofNullable(blobs.get(name));
    }

    @Override
    public InputStream open(String name, long offset, long length) throws BlobException {
        step();
        byte[] held = blobs.get(name);
        if (held == null) {
            throw new BlobException(BlobException.Kind.ABSENT, name, null);
        }
        return new ByteArrayInputStream(held, (int) offset, (int) length);
    }

    @Override
    public Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        step();
        byte[] bytes;
        try (InputStream in = source.open(0)) {
            bytes = in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        boolean[] existed = new boolean[1];
        effect(() -> {
            if (onlyIfAbsent) {
                existed[0] = blobs.putIfAbsent(name, bytes) != null;
            } else {
                blobs.put(name, bytes);
            }
        });
        if (name.contains("/gen/") && !existed[0]) {
            blind.add(steps.current());
        }
        return existed[0] ? Written.EXISTED : Written.STORED;
    }

    @Override
    public Page list(String prefix, @Nullable String after, int most) {
        step();
        NavigableMap<String, byte[]> view = steps.isQuiet() || random.nextBoolean() ? blobs : old;
        List<Stat> found = new ArrayList<>();
        for (Map.Entry<String, byte[]> one :
                view.tailMap(after == null ? prefix : after, after == null).entrySet()) {
            if (!one.getKey().startsWith(prefix)) {
                break;
            }
            if (found.size() == 3) {
                return new Page(found, found.get(2).name());
            }
            found.add(new Stat(one.getKey(), one.getValue().length, 0));
        }
        return new Page(found, null);
    }

    @Override
    public void delete(Collection<String> names) throws BlobException {
        for (String name : names) {
            step();
            effect(() -> blobs.remove(name));
        }
    }

    @Override
    public int discardUnfinished(long olderThanMillis) {
        discardedBeforeMillis = olderThanMillis;
        return 0;
    }

    @Override
    public void close() {}
}
