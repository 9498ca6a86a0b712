package dev.terrace.core;

import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** What L2 took late is told late. */
final class Latecomers implements BiConsumer<Entry, StoreOutcome> {
    private @Nullable Writes writes;

    /** To be called before anything can be late. */
    void tellThrough(Writes newWrites) {
        writes = newWrites;
    }

    @Override
    public void accept(Entry entry, StoreOutcome outcome) {
        if (writes == null) {
            return;
        }
        if (outcome instanceof StoreOutcome.Superseded superseded) {
            writes.overtaken(entry, superseded);
        } else {
            writes.tell(entry);
        }
    }
}
