/** How an application uses Terrace: {@link dev.terrace.examples.QuoteService}. */
package dev.terrace.examples;
