package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** A tier that may serve while it is brought back from a repository of backups. Thread-safe. */
public interface Restoring {
    /** How far that is; null when nothing is, or was, brought back since the tier was opened. Does not block. */
    @Nullable
    RestoreReport restore();
}
