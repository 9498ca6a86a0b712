package dev.terrace.spi;

/** Makes a journal; found through {@link java.util.ServiceLoader}. */
public interface WriteJournalProvider {
    /** The name settings use: {@code rocksdb}. */
    String name();

    /**
     * Opens the journal that the settings describe. Damage to what it kept is set aside and counted, not refused.
     *
     * @throws dev.terrace.api.SetupException when its folder is in use, of another program, or cannot be written, or the key is wrong
     */
    WriteJournal open(TierContext context);
}
