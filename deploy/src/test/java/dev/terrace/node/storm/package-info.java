/**
 * Real Redis servers, real node processes, a nemesis, clients whose history is judged: {@link
 * dev.terrace.node.storm.StormIT}. Every run leaves a report under {@code target/storm}.
 */
package dev.terrace.node.storm;
