package dev.terrace.spi;

/** Opens a key service; found through {@link java.util.ServiceLoader} by the name that {@code backup_storage.key_service} gives. */
public interface KeyServiceProvider {
    /** Such as {@code file}; at most 64 letters. */
    String name();

    /**
     * Opens it. What it needs besides the name of a key (addresses, credentials) it finds as its vendor's clients do, in the environment.
     *
     * @throws dev.terrace.api.SetupException when that is missing
     */
    KeyService open();
}
