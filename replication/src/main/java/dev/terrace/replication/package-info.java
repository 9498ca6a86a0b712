/**
 * Copies over several zones. {@code QuorumRead}, {@code QuorumWrite} and {@code QuorumChange} make every key an atomic
 * register, {@code Hints} tell zones what they missed, {@code Membership} keeps zones that may have forgotten something from
 * voting until they have been filled again. Time and threads come from {@link Timing}, so all of it runs in simulation.
 *
 * <p>The protocol and why it is right: {@code docs/adr/0005}.
 */
@NullMarked
package dev.terrace.replication;

import org.jspecify.annotations.NullMarked;
