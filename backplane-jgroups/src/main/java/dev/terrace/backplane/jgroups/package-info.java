/**
 * Notices between nodes over JGroups: TCP, members from a list or DNS, no multicast. {@link
 * dev.terrace.backplane.jgroups.GroupBackplaneProvider} opens it. Inside, {@code GroupStack} puts the protocols together, {@code
 * GroupBackplane} sends and delivers, {@code Sequencer} numbers notices while this node coordinates, {@code GroupFrame} is what
 * travels.
 *
 * <p>JGroups logs through slf4j under {@code org.jgroups}; level WARN is enough for operators.
 */
@NullMarked
package dev.terrace.backplane.jgroups;

import org.jspecify.annotations.NullMarked;
