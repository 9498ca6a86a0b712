/** Long-running work on a node: {@link dev.terrace.node.jobs.Jobs} runs it and remembers how far it is. */
package dev.terrace.node.jobs;
