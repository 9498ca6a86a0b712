package dev.terrace.spi;

/** Opens zones of one kind of storage; found through {@link java.util.ServiceLoader}. */
public interface ReplicaProvider {
    /** The name settings use for the backend: {@code redis}. */
    String name();

    /**
     * Opens a zone. Must not wait for a remote server: a zone that is not reachable yet joins later.
     *
     * @param zone the zone's name, one of those in the remote tier's settings; by it other nodes know the zone too
     * @param context the settings of the remote tier, with all its zones
     * @throws dev.terrace.api.SetupException when there is no such zone or the environment cannot work as it is; the message
     *     says what to do
     */
    Replica open(String zone, TierContext context);

    /**
     * Begins to ask the servers of the remote tier's settings what they are; to be used when the settings leave that open.
     */
    ZoneDetection detect(TierContext context);
}
