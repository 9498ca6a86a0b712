/**
 * Settings as immutable records: {@link dev.terrace.config.Settings} and its parts. Plain data, no components.
 */
package dev.terrace.config;
