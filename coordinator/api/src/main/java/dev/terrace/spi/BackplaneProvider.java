package dev.terrace.spi;

/** Opens backplanes of one kind; found through {@link java.util.ServiceLoader}, like {@link ReplicaProvider}. */
public interface BackplaneProvider {
    /** The name settings use: {@code redis}, {@code jgroups}. */
    String name();

    /**
     * Opens a channel. Must not wait for other machines.
     *
     * @param zone the name of the zone whose log it is; empty where there is only one, and for a group
     * @param context the settings: for a log the remote tier's, with the nodes and credentials of this zone
     * @throws dev.terrace.api.SetupException when the environment cannot work as it is; the message says what to do
     */
    Backplane open(String zone, TierContext context);
}
