package dev.terrace.spi;

/** Opens watches of one kind of storage; found through {@link java.util.ServiceLoader}, like {@link ReplicaProvider}. */
public interface KeyWatchProvider {
    /** The name settings use for the backend: {@code redis}. */
    String name();

    /**
     * Opens a watch over one deployment. Must not wait for a server.
     *
     * @param zone the name of the zone; empty where there is only one, or where only the servers know
     * @param context the settings: the remote tier's, with the nodes and credentials of this zone
     */
    KeyWatch open(String zone, TierContext context);
}
