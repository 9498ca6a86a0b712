/**
 * L2 on Redis through Redisson: standalone, Sentinel or Redis Cluster.
 *
 * <p>{@link dev.terrace.tier.redis.RedisTierProvider} opens it. Inside, {@code RedisTier} keeps deadlines and checks
 * envelopes, {@code Connector} makes and keeps the connection in the background, {@code RedissonCommands} is the seam to
 * Redisson, {@code Scripts} the only place that loads scripts.
 */
package dev.terrace.tier.redis;
