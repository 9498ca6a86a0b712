package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a folder remembers of a restore that goes on under it, in the file {@code RESTORE}: from which repository, since when, whose folders come back by which
 * plan, and which parts of each it holds by now. It is there from before the folder is Terrace's until all is done, so that whoever opens it next goes on.
 *
 * @param sinceMillis nothing that comes out of the repository is newer: when it began, and later when a plan was last taken
 * @param repository its URL; empty when whoever made the folder did not know it
 * @param writers whose folders come back; empty before the repository was reached
 */
record RestoreNote(long sinceMillis, String repository, Map<Integer, Progress> writers) {
    /**
     * How far one writer's folder is.
     *
     * @param plan which {@linkplain RestorePlan#text plan}
     * @param done the parts that the folder holds; of another plan they say nothing
     */
    record Progress(String plan, BitSet done) {}

    static final String FILE = "RESTORE";
    /** Where things lie meanwhile. */
    static final String WORK = "restoring-live";

    /** By the first byte of a key's hash. */
    static final int PARTS = 256;

    private static final Logger LOG = LoggerFactory.getLogger(RestoreNote.class);
    private static final String HEADING = "terrace live restore\nformat=1\n";
    private static final int HEX = 16;

    RestoreNote {
        writers = Map.copyOf(writers);
    }

    /** Notes that a folder in which there is nothing yet is to be restored, when the settings want that. Before it is marked as Terrace's. */
    static void begin(Folder folder, BackupStorageSettings settings, long nowMillis) throws IOException {
        if (folder.isFresh() && settings.restoresWhenEmpty()) {
            new RestoreNote(nowMillis, repository(settings), Map.of()).write(folder.path());
        }
    }

    /** The URL of the repository that {@code settings} name; empty when they name none. */
    static String repository(BackupStorageSettings settings) {
        ObjectStorageSettings storage = settings.objectStorage();
        return storage == null ? "" : storage.url().toString();
    }

    /** Which parts of a writer's folder are there, as far as they were copied by this plan. */
    BitSet done(int writer, String plan) {
        Progress known = writers.get(writer);
        return known != null && known.plan().equals(plan) ? known.done() : new BitSet();
    }

    /**
     * What the folder remembers; null when nothing is to be restored. When that is not wanted any more, it is given up here, and said so: only by who serves, since
     * a command that opens the folder says nothing about what its node wants.
     */
    static @Nullable RestoreNote read(Path folder, BackupStorageSettings settings) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            Folders.delete(folder.resolve(WORK));
            return null;
        }
        if (!settings.restoresWhenEmpty()) {
            LOG.warn(
                    "a restore that was under way is given up, because backup_storage.restore.on_start says so now folder={}",
                    folder);
            remove(folder);
            return null;
        }
        return parse(Files.readString(file, StandardCharsets.US_ASCII), file);
    }

    private static RestoreNote parse(String text, Path file) throws IOException {
        long since = 0;
        String repository = "";
        Map<Integer, Progress> writers = new TreeMap<>();
        try {
            if (!text.startsWith(HEADING)) {
                throw new IllegalArgumentException("another format");
            }
            for (String line : text.substring(HEADING.length()).lines().toList()) {
                List<String> parts = List.of(line.split("=", 2));
                if (parts.get(0).equals("began")) {
                    since = Long.parseLong(parts.get(1));
                } else if (parts.get(0).equals("repository")) {
                    repository = parts.get(1);
                } else {
                    List<String> progress = List.of(parts.get(1).split(" ", 2));
                    // A line without a plan is from a build that did not note it: what it had copied is copied again.
                    writers.put(
                            Integer.parseInt(parts.get(0)),
                            new Progress(progress.size() < 2 ? "" : progress.get(1), bits(progress.get(0))));
                }
            }
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException(
                    file + " is not what this version writes (" + e.getMessage()
                            + "); remove it to go on without a restore",
                    e);
        }
        return new RestoreNote(since, repository, writers);
    }

    private static BitSet bits(String hex) {
        BigInteger number = new BigInteger(hex, HEX);
        if (number.bitLength() > PARTS) {
            throw new IllegalArgumentException("too many parts");
        }
        BitSet bits = new BitSet(PARTS);
        for (int i = 0; i < PARTS; i++) {
            bits.set(i, number.testBit(i));
        }
        return bits;
    }

    private static String hex(BitSet bits) {
        BigInteger number = BigInteger.ZERO;
        for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
            number = number.setBit(i);
        }
        return number.toString(HEX);
    }

    /** Durable when this returns. What it says the folder holds must be durable before. */
    void write(Path folder) throws IOException {
        String text = Stream.concat(
                        Stream.of("began=" + sinceMillis, "repository=" + repository),
                        new TreeMap<>(writers)
                                .entrySet().stream()
                                        .map(one -> one.getKey() + "="
                                                + hex(one.getValue().done()) + " "
                                                + one.getValue().plan()))
                .collect(Collectors.joining("\n", HEADING, "\n"));
        Atomically.write(folder.resolve(FILE), text.getBytes(StandardCharsets.US_ASCII));
    }

    /** All is done. */
    static void remove(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(FILE));
        Folders.delete(folder.resolve(WORK));
    }
}
