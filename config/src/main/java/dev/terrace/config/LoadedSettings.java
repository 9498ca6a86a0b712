package dev.terrace.config;

import java.util.List;
import java.util.Set;

/**
 * Settings as they were read.
 *
 * @param settings complete and valid
 * @param warnings what is allowed but probably not wanted
 * @param explicit paths that the file sets; everything else is a default
 */
public record LoadedSettings(Settings settings, List<Problem> warnings, Set<String> explicit) {
    /** Copies the collections. */
    public LoadedSettings {
        warnings = List.copyOf(warnings);
        explicit = Set.copyOf(explicit);
    }
}
