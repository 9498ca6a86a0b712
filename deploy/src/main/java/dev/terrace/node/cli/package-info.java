/**
 * The {@code terrace} command line: {@link dev.terrace.node.cli.Terrace} is the root, each subcommand a class of its own,
 * {@code NodeClient} speaks to a running node.
 */
package dev.terrace.node.cli;
