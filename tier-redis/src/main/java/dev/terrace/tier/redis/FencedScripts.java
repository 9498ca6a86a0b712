package dev.terrace.tier.redis;

import dev.terrace.tier.redis.Scripts.Script;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The scripts by which a zone votes, in one of its incarnations. Their text carries the incarnation, so a server knows their
 * digests only when it was admitted in it. Only {@link RedisZone#admit} loads them.
 */
record FencedScripts(
        Incarnation incarnation, Script probe, Script vote, Script query, Script promise, Script store, Script accept) {
    /** Fills a zone that may not vote; of no incarnation, so it does not pass for a vote. */
    static final Script RESTORE = Script.of(Templates.ENTRIES + Templates.RESTORE);

    /** As the other, for promises. */
    static final Script RESTORE_PROMISE = Script.of(Templates.ENTRIES + Templates.RESTORE_PROMISE);

    /** Walks through one server. */
    static final String PAGE = Scripts.resource("zone-page-v1.lua");

    /** The resources. Apart, because a record's own constants would be read with its first use only. */
    private static final class Templates {
        static final String FENCE = Scripts.resource("zone-fence-v1.lua");
        static final String ENTRIES = Scripts.resource("zone-entries-v1.lua");
        static final String PROBE = Scripts.resource("zone-probe-v1.lua");
        static final String VOTE = Scripts.resource("zone-vote-v1.lua");
        static final String QUERY = Scripts.resource("zone-query-v1.lua");
        static final String PROMISE = Scripts.resource("zone-promise-v1.lua");
        static final String STORE = Scripts.resource("zone-store-v1.lua");
        static final String ACCEPT = Scripts.resource("zone-accept-v1.lua");
        static final String RESTORE = Scripts.resource("zone-restore-v1.lua");
        static final String RESTORE_PROMISE = Scripts.resource("zone-restore-promise-v1.lua");
        static final String FILLING = Scripts.resource("zone-filling-v1.lua");
    }

    /**
     * The scripts of {@code incarnation}.
     *
     * @param record the key of the zone's record, for scripts to look at; empty where they cannot
     */
    static FencedScripts of(Incarnation incarnation, String record) {
        String fence =
                fence(incarnation.zone(), incarnation.token(), incarnation.runs(), incarnation.histories(), record);
        return new FencedScripts(
                incarnation,
                Script.of(fence + Templates.PROBE),
                Script.of(fence + Templates.VOTE),
                Script.of(fence + Templates.ENTRIES + Templates.QUERY),
                Script.of(fence + Templates.ENTRIES + Templates.PROMISE),
                Script.of(fence + Templates.ENTRIES + Templates.STORE),
                Script.of(fence + Templates.ENTRIES + Templates.ACCEPT));
    }

    /**
     * The script by which one server says whether it is still what it was when a filling of the zone began. Its text names
     * the server and not the filling, so that fillings that come to nothing leave no scripts behind.
     *
     * @param run the server's run id then
     * @param history its replication id then
     */
    static Script filling(String zone, String run, String history) {
        return Script.of(fence(zone, "being filled", List.of(run), List.of(history), "") + Templates.FILLING);
    }

    private static String fence(String zone, String token, List<String> runs, List<String> histories, String record) {
        return Templates.FENCE
                .replace("@ZONE@", zone)
                .replace("@TOKEN@", token)
                .replace(
                        "@RUN_IS_KNOWN@",
                        runs.isEmpty() ? "true" : anyOf("redis.call('INFO', 'server')", "run_id", runs))
                .replace("@HISTORY_IS_KNOWN@", anyOf("info", "master_replid", histories))
                .replace("@RECORD@", record);
    }

    /** Lua that is true when {@code field} of {@code info} is one of {@code ids}. */
    private static String anyOf(String info, String field, List<String> ids) {
        return ids.stream()
                .map(id -> "string.find(" + info + ", '" + field + ":" + id + "', 1, true)")
                .collect(Collectors.joining(" or "));
    }

    List<Script> all() {
        return List.of(probe, vote, query, promise, store, accept);
    }
}
