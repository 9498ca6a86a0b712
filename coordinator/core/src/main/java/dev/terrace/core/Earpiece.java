package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Notices come through the announcer, which writes need, and are heeded by what needs writes. */
final class Earpiece implements Heed {
    private @Nullable Hearing hearing;
    private Consumer<CacheKey> alsoTold = key -> {};

    /** To be called before anything listens. */
    void handTo(Hearing newHearing) {
        hearing = newHearing;
    }

    /** Is told of keys that other nodes have changed, after that was done to this node's copies. Before anything listens. */
    void alsoTell(Consumer<CacheKey> listener) {
        alsoTold = listener;
    }

    private Hearing hearing() {
        return Objects.requireNonNull(hearing, "begins to hear when everything is there");
    }

    @Override
    public void changed(Notice.Changed notice) {
        hearing().changed(notice);
        alsoTold.accept(notice.key());
    }

    @Override
    public void marker(Notice.Marker notice) {
        hearing().marker(notice);
    }

    @Override
    public void external(Notice.External notice) {
        hearing().external(notice);
    }

    @Override
    public CompletionStage<Boolean> gap() {
        return hearing().gap();
    }
}
