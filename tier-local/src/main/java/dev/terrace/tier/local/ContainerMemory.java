package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the container that this process runs in uses and may use, by the unified cgroup hierarchy (version 2, see cgroup-v2 in the kernel's
 * documentation). The group of the process and those around it count; the one with the least room decides. Pages of files that the kernel
 * can drop at once ({@code inactive_file}) do not count as used, as in Kubernetes. Thread-safe.
 */
final class ContainerMemory {
    private static final Path OWN_GROUP = Path.of("/proc/self/cgroup");
    private static final String UNIFIED = "0::";
    private static final String DROPPABLE = "inactive_file ";

    private final Path root;
    private final Path ownGroup;

    /** What is used and what may be, in bytes. */
    record Reading(long used, long max) {
        long room() {
            return max - used;
        }
    }

    /** @param root where the hierarchy is mounted; nothing need be there */
    ContainerMemory(Path root) {
        this(root, OWN_GROUP);
    }

    ContainerMemory(Path root, Path ownGroup) {
        this.root = root;
        this.ownGroup = ownGroup;
    }

    /**
     * Null when there is no limit, or nothing that says so.
     *
     * @throws IOException when what is there could not be read this time, for want of a file descriptor perhaps
     */
    @Nullable
    Reading read() throws IOException {
        Reading tightest = null;
        for (Path group = group(); group != null && group.startsWith(root); group = group.getParent()) {
            Reading here = read(group);
            if (here != null && (tightest == null || here.room() < tightest.room())) {
                tightest = here;
            }
        }
        return tightest;
    }

    /** Where the process is; the root when that is hidden, or this is not Linux. */
    private Path group() throws IOException {
        String groups = text(ownGroup);
        for (String line : groups == null ? List.<String>of() : groups.lines().toList()) {
            if (line.startsWith(UNIFIED + "/")) {
                Path own = root.resolve(line.substring(UNIFIED.length() + 1)).normalize();
                // A group outside of the container's own view is told as one above the root.
                return own.startsWith(root) ? own : root;
            }
        }
        return root;
    }

    /** The root of a machine has no limit, nor has a hierarchy of version 1 such files. */
    private static @Nullable Reading read(Path group) throws IOException {
        String max = text(group.resolve("memory.max"));
        String used = max == null || max.equals("max") ? null : text(group.resolve("memory.current"));
        if (max == null || used == null) {
            return null;
        }
        try {
            return new Reading(Math.max(0, Long.parseLong(used) - droppable(group)), Long.parseLong(max));
        } catch (NumberFormatException e) {
            throw new IOException("no number of bytes in " + group, e);
        }
    }

    private static long droppable(Path group) throws IOException {
        String stat = text(group.resolve("memory.stat"));
        return stat == null
                ? 0
                : stat.lines()
                        .filter(line -> line.startsWith(DROPPABLE))
                        .mapToLong(line -> Long.parseLong(
                                line.substring(DROPPABLE.length()).strip()))
                        .findFirst()
                        .orElse(0);
    }

    /** Null when there is no such file, or none that this process can read, which does not change from one moment to the next. */
    private static @Nullable String text(Path file) throws IOException {
        try {
            return Files.readString(file).strip();
        } catch (NoSuchFileException | AccessDeniedException | CharacterCodingException none) {
            return null;
        }
    }
}
