package dev.terrace.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads the text of a settings file, bounded, and says plainly why it cannot. */
final class SettingsFile {
    static final int LONGEST_BYTES = 1 << 20;

    private SettingsFile() {}

    static String read(Path file) {
        String source = file.toString();
        if (Files.isDirectory(file)) {
            throw refused(source, 0, "is a folder, not a settings file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LONGEST_BYTES + 1);
            if (bytes.length > LONGEST_BYTES) {
                throw refused(source, 0, "has more than " + LONGEST_BYTES + " bytes, which no settings file needs");
            }
            return decode(source, bytes);
        } catch (NoSuchFileException e) {
            throw refused(source, 0, "does not exist");
        } catch (AccessDeniedException e) {
            throw refused(source, 0, "may not be read by this user");
        } catch (IOException e) {
            throw refused(source, 0, "cannot be read: " + e.getMessage());
        }
    }

    private static String decode(String source, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        if (decoder.decode(in, out, true).isError()) {
            int line = 1;
            for (int i = 0; i < in.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw refused(source, line, "is not UTF-8 text");
        }
        return out.flip().toString();
    }

    /** One problem that concerns the whole file. */
    static InvalidSettingsException refused(String source, int line, String message) {
        return new InvalidSettingsException(source, List.of(new Problem("", line, "", message, "")));
    }
}
