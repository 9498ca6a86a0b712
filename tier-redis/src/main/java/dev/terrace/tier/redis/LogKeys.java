package dev.terrace.tier.redis;

/**
 * The log's two keys, in one cluster slot. The tilde keeps them apart from every cache's keys, whose names never hold one.
 *
 * @param stream the notices
 * @param head which log it is and how far it goes
 */
record LogKeys(String stream, String head) {
    static LogKeys of(String prefix) {
        String tag = "{" + RedisKeys.encoded(prefix) + "~log}";
        return new LogKeys(tag, tag + "~head");
    }
}
