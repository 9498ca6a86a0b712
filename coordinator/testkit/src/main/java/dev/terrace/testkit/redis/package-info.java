/**
 * Real Redis servers for tests, as child processes on loopback, and what can be done to them. {@link
 * dev.terrace.testkit.redis.RedisProcess}: kill, freeze, restart with all data, none, or older data, pause clients. {@link
 * dev.terrace.testkit.redis.RedisClusterProcesses}: fail over, move slots, cut replication. {@link
 * dev.terrace.testkit.redis.TcpProxy} stands between them and a client and plays a bad network.
 */
package dev.terrace.testkit.redis;
