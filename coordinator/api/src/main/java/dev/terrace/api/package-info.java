/**
 * What users touch: {@link dev.terrace.api.Cache} and its {@link dev.terrace.api.AsyncCache asynchronous view}, loaders,
 * codecs, results, and the exceptions, which differ by remedy.
 */
package dev.terrace.api;
