package dev.terrace.spi;

/**
 * Makes a tier; found through {@link java.util.ServiceLoader} so that a user who needs two tiers does not carry the
 * third one's libraries.
 */
public interface TierProvider {
    /** The name settings use: {@code offheap}, {@code redis}, {@code rocksdb}. */
    String name();

    /** Which level it provides. */
    TierLevel level();

    /**
     * Opens the tier. Must not wait for a remote server: a tier that is not reachable yet opens in state CONNECTING.
     *
     * @throws dev.terrace.api.SetupException when the environment cannot work as it is: missing JVM flags, foreign
     *     folder, wrong key, folder in use; the message says which and what to do
     */
    Tier open(TierContext context);
}
