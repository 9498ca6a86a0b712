/**
 * Real Redis servers for tests, as child processes on loopback: {@link dev.terrace.testkit.redis.RedisProcess} and {@link
 * dev.terrace.testkit.redis.RedisClusterProcesses}. {@link dev.terrace.testkit.redis.TcpProxy} stands between them and a
 * client and plays a bad network.
 */
package dev.terrace.testkit.redis;
