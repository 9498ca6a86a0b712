package dev.terrace.config;

/**
 * A policy for the keys that match a pattern.
 *
 * @param pattern matched against {@code cache:key} and against the key alone; {@code *} stands for any text
 * @param name what people call the class: {@code hot}, {@code session}
 * @param policy the policy
 */
public record CacheClass(String pattern, String name, CachePolicy policy) {}
