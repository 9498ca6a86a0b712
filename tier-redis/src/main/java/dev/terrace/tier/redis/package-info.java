/**
 * L2 on Redis through Redisson: standalone, Sentinel or Redis Cluster.
 *
 * <p>{@link dev.terrace.tier.redis.RedisTierProvider} opens the tier. Inside, {@code RedisTier} keeps deadlines and checks
 * envelopes, {@code Connector} makes and keeps the connection in the background, {@code RedissonCommands} is the seam to
 * Redisson, {@code Scripts} the only place that loads scripts.
 *
 * <p>{@link dev.terrace.tier.redis.RedisReplicaProvider} opens a zone: {@code RedisZone} votes by {@code FencedScripts} that only
 * {@code ZoneAdmission} loads, {@code ZoneIdentity} knows who the zone is, {@code ZoneWalk} goes through what it holds.
 *
 * <p>{@link dev.terrace.tier.redis.RedisBackplaneProvider} opens a log of notices: {@code RedisLog}, whose {@code LogAppender}
 * and {@code LogReader} have a thread and a {@code RespConnection} each.
 */
package dev.terrace.tier.redis;
