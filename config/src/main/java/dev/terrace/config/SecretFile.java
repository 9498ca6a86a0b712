package dev.terrace.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;

/** Reads the file behind {@code file:/path}. */
final class SecretFile {
    private static final int LONGEST_BYTES = 64 << 10;

    private SecretFile() {}

    /** The text of the file without the line end that editors add. */
    static Secret read(String name) throws Unusable {
        try {
            Path file = Path.of(name);
            if (name.isBlank() || (Files.exists(file) && !Files.isRegularFile(file))) {
                throw new Unusable("names a secret file that is no file");
            }
            if (Files.getFileStore(file).supportsFileAttributeView("posix")
                    && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
                throw new Unusable("names a secret file that every user can read; run chmod 600 " + file);
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(file)))
                    .toString()
                    .replaceFirst("\\r?\\n\\z", "");
            if (text.isEmpty()) {
                throw new Unusable("names a secret file that is empty");
            }
            return new Secret(text);
        } catch (NoSuchFileException e) {
            throw new Unusable("names a secret file that does not exist");
        } catch (AccessDeniedException e) {
            throw new Unusable("names a secret file that this process may not read");
        } catch (CharacterCodingException e) {
            throw new Unusable("names a secret file that is not UTF-8 text");
        } catch (IOException e) {
            throw new Unusable(
                    "names a secret file that cannot be read (" + e.getClass().getSimpleName() + ")");
        } catch (InvalidPathException e) {
            throw new Unusable("names a secret file by something that is not a path");
        }
    }

    private static byte[] bytes(Path file) throws IOException, Unusable {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LONGEST_BYTES + 1);
            if (bytes.length > LONGEST_BYTES) {
                throw new Unusable("names a secret file of more than " + LONGEST_BYTES + " bytes");
            }
            return bytes;
        }
    }
}
