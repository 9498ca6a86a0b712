package dev.terrace.tier.redis;

import dev.terrace.tier.redis.Scripts.Script;
import java.util.List;

/**
 * A filling of a zone that has begun: what its primaries were known by then.
 *
 * @param incarnation what the zone will be once it is admitted
 * @param layout of the primaries
 * @param marks one for each primary, in their order
 */
record ZoneFilling(Incarnation incarnation, String layout, List<Mark> marks) {
    /**
     * What one primary is asked whether it is still the same.
     *
     * @param script passes only there
     * @param key lies there, and is lost when it is flushed
     */
    record Mark(Script script, String key) {}
}
