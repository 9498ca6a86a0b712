package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.file.Files;
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

    /** Null when there is no limit, or nothing that says so. */
    @Nullable
    Reading read() {
        Reading tightest = null;
        for (Path group = group(); group != null && group.startsWith(root); group = group.getParent()) {
            Reading here = read(group);
            if (here != null && (tightest == null || here.room() < tightest.room())) {
                tightest = here;
            }
        }
        return tightest;
    }

    private Path group() {
        try {
            for (String line : Files.readAllLines(ownGroup)) {
                if (line.startsWith(UNIFIED + "/")) {
                    Path own =
                            root.resolve(line.substring(UNIFIED.length() + 1)).normalize();
                    // A group outside of the container's own view is told as one above the root.
                    return own.startsWith(root) ? own : root;
                }
            }
        } catch (IOException notThere) {
            // Not on Linux, or hidden: the root is what there is.
        }
        return root;
    }

    private static @Nullable Reading read(Path group) {
        try {
            String max = Files.readString(group.resolve("memory.max")).strip();
            if (max.equals("max")) {
                return null;
            }
            long used = Long.parseLong(
                    Files.readString(group.resolve("memory.current")).strip());
            return new Reading(Math.max(0, used - droppable(group)), Long.parseLong(max));
        } catch (IOException | NumberFormatException noSuchGroup) {
            return null; // The root of a machine has no limit, nor has a hierarchy of version 1 such files.
        }
    }

    private static long droppable(Path group) throws IOException {
        Path stat = group.resolve("memory.stat");
        List<String> lines = Files.exists(stat) ? Files.readAllLines(stat) : List.of();
        for (String line : lines) {
            if (line.startsWith(DROPPABLE)) {
                return Long.parseLong(line.substring(DROPPABLE.length()).strip());
            }
        }
        return 0;
    }
}
