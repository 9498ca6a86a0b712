/**
 * Settings as immutable records: {@link dev.terrace.config.Settings} and its parts, plain data, no components.
 *
 * <p>{@link dev.terrace.config.SettingsLoader} reads them from YAML into {@link dev.terrace.config.LoadedSettings} or refuses
 * with every {@link dev.terrace.config.Problem} at once; {@link dev.terrace.config.EffectiveSettings} shows what is in force;
 * {@link dev.terrace.config.Policies} finds the policy of a key. {@link dev.terrace.config.Secret} keeps what must not be
 * printed.
 */
package dev.terrace.config;
