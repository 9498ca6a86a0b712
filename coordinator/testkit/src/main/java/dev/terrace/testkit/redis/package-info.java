/**
 * Real Redis servers for tests, as child processes on loopback: {@link dev.terrace.testkit.redis.RedisProcess} and {@link
 * dev.terrace.testkit.redis.RedisClusterProcesses}.
 */
package dev.terrace.testkit.redis;
