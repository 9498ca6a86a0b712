package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** Copies of damaged logs, in folders {@code salvage-<millis>} beside the database, kept as long as anything else. */
final class Salvages {
    static final String PREFIX = "salvage-";

    private Salvages() {}

    static void copy(List<Path> logs, Path aside) throws IOException {
        Files.createDirectories(aside);
        for (Path log : logs) {
            Files.copy(log, aside.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Takes a copy back that turned out useless, so that restarts in a loop do not fill the disk. */
    static void deleteIfIntact(List<Path> logs, Path aside) throws IOException {
        for (Path log : logs) {
            if (!Files.exists(log) || Files.mismatch(log, aside.resolve(log.getFileName())) >= 0) {
                return;
            }
        }
        delete(aside);
    }

    /** Deletes the copies made before {@code thenMillis}. */
    static void deleteOlder(Path folder, long thenMillis) throws IOException {
        List<Path> found;
        try (Stream<Path> children = Files.list(folder)) {
            found = children.filter(child -> child.getFileName().toString().matches(PREFIX + "\\d{1,18}"))
                    .toList();
        }
        for (Path aside : found) {
            if (Long.parseLong(aside.getFileName().toString().substring(PREFIX.length())) < thenMillis) {
                delete(aside);
            }
        }
    }

    private static void delete(Path aside) throws IOException {
        List<Path> files;
        try (Stream<Path> children = Files.list(aside)) {
            files = children.toList();
        }
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
        Files.deleteIfExists(aside);
    }
}
