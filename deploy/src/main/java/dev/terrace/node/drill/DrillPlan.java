package dev.terrace.node.drill;

import dev.terrace.config.SettingsText;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a drill works with.
 *
 * @param entries how many there are before anything is broken
 * @param valueBytes length of a value
 * @param seed decides keys and values
 * @param hold how long what is broken stays broken, where it mends again
 * @param objectives what must be reached
 * @param base settings of a deployment whose repository, keys and policies are used; null for a deployment that knows nothing
 * @param baseName what reports call these settings
 * @param sabotage whether an object is taken out of the repository behind the drill's back, so that people see one fail
 */
public record DrillPlan(
        int entries,
        int valueBytes,
        long seed,
        Duration hold,
        Objectives objectives,
        @Nullable SettingsText base,
        String baseName,
        boolean sabotage) {}
