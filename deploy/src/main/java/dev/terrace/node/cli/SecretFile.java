package dev.terrace.node.cli;

import dev.terrace.config.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that holds a secret and nothing else. */
final class SecretFile {
    private SecretFile() {}

    /**
     * Reads it, without spaces around.
     *
     * @param what messages call the file
     */
    static Secret read(Path file, String what) {
        try {
            String text = Files.readString(file, StandardCharsets.UTF_8).strip();
            if (text.isEmpty()) {
                throw new CommandFailure(ExitCodes.USAGE, what + " " + file + " is empty");
            }
            return new Secret(text);
        } catch (IOException e) {
            throw new CommandFailure(ExitCodes.USAGE, what + " " + file + " cannot be read");
        }
    }
}
