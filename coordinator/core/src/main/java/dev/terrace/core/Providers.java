package dev.terrace.core;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.KeyWatchProvider;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.WriteJournalProvider;
import java.util.ServiceLoader;
import java.util.function.Function;

/** Finds on the class path what opens tiers, zones, backplanes and watches, or says what to add to it. */
final class Providers {
    private Providers() {}

    /** Opens the tier of {@code section} of the settings. */
    static TierProvider tier(String name, String artifact, String section) {
        return named(
                TierProvider.class,
                TierProvider::name,
                name,
                section + " is enabled, but no provider",
                "add dev.terrace:" + artifact + ", or set " + section + ".enabled: false");
    }

    static ReplicaProvider zones(String name) {
        return named(
                ReplicaProvider.class,
                ReplicaProvider::name,
                name,
                "distributed_cache names several zones, but no provider of zones",
                "add dev.terrace:terrace-tier-redis, or name one zone");
    }

    static WriteJournalProvider journal(String name) {
        return named(
                WriteJournalProvider.class,
                WriteJournalProvider::name,
                name,
                "a cache is set to write behind, but no provider of journals",
                "add dev.terrace:terrace-tier-backup, or set its write.policy to through");
    }

    static BackplaneProvider backplane(String name, String artifact) {
        return named(
                BackplaneProvider.class,
                BackplaneProvider::name,
                name,
                "the backplane is enabled, but no provider",
                "add dev.terrace:" + artifact + ", or set backplane.enabled: false");
    }

    static KeyWatchProvider watches(String name) {
        return named(
                KeyWatchProvider.class,
                KeyWatchProvider::name,
                name,
                "external_writers is enabled, but no provider of watches",
                "add dev.terrace:terrace-tier-redis, or set backplane.external_writers: false");
    }

    private static <P> P named(Class<P> type, Function<P, String> nameOf, String name, String lack, String wayOut) {
        for (P candidate : ServiceLoader.load(type)) {
            if (nameOf.apply(candidate).equals(name)) {
                return candidate;
            }
        }
        throw new SetupException(lack + " named '" + name + "' is on the class path", wayOut);
    }
}
