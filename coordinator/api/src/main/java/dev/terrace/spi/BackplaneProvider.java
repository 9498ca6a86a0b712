package dev.terrace.spi;

import java.util.List;

/** Opens backplanes; found through {@link java.util.ServiceLoader}, like {@link TierProvider}. */
public interface BackplaneProvider {
    /** The name settings use: {@code redis}, {@code jgroups}. */
    String name();

    /**
     * Opens the channels that the settings ask for: a log per zone, or a group. None when they ask for none. Must not wait for
     * other machines.
     *
     * @throws dev.terrace.api.SetupException when the environment cannot work as it is; the message says what to do
     */
    List<Backplane> open(TierContext context);
}
