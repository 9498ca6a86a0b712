package dev.terrace.spi;

/** Opens zones of one kind of storage; found through {@link java.util.ServiceLoader}. */
public interface ReplicaProvider {
    /** The name settings use for the backend: {@code redis}. */
    String name();

    /**
     * Opens a zone. Must not wait for a remote server: a zone that is not reachable yet joins later.
     *
     * @param zone the zone's name, by which other nodes know it too
     * @param context where the zone is: the remote tier's settings with the nodes, topology and credentials of this zone
     * @throws dev.terrace.api.SetupException when the environment cannot work as it is; the message says what to do
     */
    Replica open(String zone, TierContext context);
}
