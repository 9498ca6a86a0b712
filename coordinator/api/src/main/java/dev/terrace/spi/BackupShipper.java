package dev.terrace.spi;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A tier that ships what it holds to a repository of backups. Thread-safe. */
public interface BackupShipper {
    /** How its backups stand; null when it ships nowhere. Does not block. */
    @Nullable
    BackupReport backup();

    /**
     * Takes a snapshot now, due or not, and sends again what the repository has lost of earlier ones. Takes as long as the upload; never
     * throws. Completes with an empty text when the snapshot is published, else with why it is not.
     */
    CompletionStage<String> snapshot();
}
