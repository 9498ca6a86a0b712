package dev.terrace.core;

import dev.terrace.api.Rung;
import dev.terrace.failover.Position;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Makes the rung felt: decides how much of L2 is in use, and tells every cache where it stands. Thread-safe. */
final class Enforcement implements Consumer<Position> {
    private final RemoteUse remote;
    private final @Nullable MissedWrites missed;
    private final long directMillis;
    private final List<CacheState> caches = new CopyOnWriteArrayList<>();
    private Stance stance = Stance.NORMAL;

    /** @param direct longest wait for the origin on {@link Rung#DIRECT} */
    Enforcement(RemoteUse remote, @Nullable MissedWrites missed, Duration direct) {
        this.remote = remote;
        this.directMillis = direct.toMillis();
        this.missed = missed;
    }

    @Override
    public synchronized void accept(Position at) {
        remote.set(
                at.rung() == Rung.NORMAL
                        ? RemoteUse.Mode.ALL
                        : at.rejoining() ? RemoteUse.Mode.WRITES : RemoteUse.Mode.NONE);
        if (missed != null && remote.isWritten()) {
            missed.hurry();
        }
        stance = at.rung() == Rung.NORMAL
                ? Stance.NORMAL
                : new Stance(at.rung(), at.cause(), Duration.ofMillis(at.holdMillis()), directMillis);
        caches.forEach(this::stand);
    }

    /** From now on {@code cache} is told. */
    synchronized void attach(CacheState cache) {
        caches.add(cache);
        stand(cache);
    }

    /** Throws when writes that concern {@code caches} are refused. */
    synchronized void admitWrite(String caches) {
        stance.admitWrite(caches);
    }

    private void stand(CacheState cache) {
        cache.stand(stance.atMost(cache.maxRung));
    }
}
