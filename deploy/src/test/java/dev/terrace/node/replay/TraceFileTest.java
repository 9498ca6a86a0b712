package dev.terrace.node.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.terrace.api.SetupException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Traces in every encoding are read; what is no trace is refused in words. */
class TraceFileTest {
    private static final byte[] TEXT = "7\n8\r\n\nä key\n7".getBytes(StandardCharsets.UTF_8);
    private static final List<String> KEYS = List.of("7", "8", "ä key", "7");

    @TempDir
    Path folder;

    private Path file(byte[] content) throws IOException {
        return Files.write(Files.createTempFile(folder, "trace", ""), content);
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }

    private static List<String> read(Path file) {
        try (TraceFile trace = TraceFile.open(file)) {
            List<String> keys = new ArrayList<>();
            for (String key = trace.next(); key != null; key = trace.next()) {
                keys.add(key);
            }
            return keys;
        }
    }

    private void refused(byte[] content, String... words) throws IOException {
        Path file = file(content);
        assertThatThrownBy(() -> read(file)).isInstanceOf(SetupException.class).hasMessageContainingAll(words);
    }

    @Test
    void plainGzipAndZstdAreToldApartByTheirContent() throws IOException {
        assertThat(read(file(TEXT))).isEqualTo(KEYS);
        assertThat(read(file(gzip(TEXT)))).isEqualTo(KEYS);
        assertThat(read(file(Zstd.compress(TEXT)))).isEqualTo(KEYS);
    }

    @Test
    void theBundledExcerptHasFourHundredThousandRequests() {
        try (TraceFile trace = TraceFile.open(null)) {
            int requests = 0;
            while (trace.next() != null) {
                requests++;
            }
            assertThat(requests).isEqualTo(400_000);
            assertThat(trace.fraction()).isEqualTo(1);
        }
    }

    @Test
    void anEmptyFileHasNoKeys() throws IOException {
        assertThat(read(file(new byte[0]))).isEmpty();
        assertThat(read(file(gzip(new byte[0])))).isEmpty();
    }

    @Test
    void missingFilesAndFoldersAreRefused() {
        assertThatThrownBy(() -> read(folder.resolve("absent")))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> read(folder))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("is a folder");
    }

    @Test
    void cutOffAndDamagedFilesAreRefused() throws IOException {
        byte[] text = "12345\n".repeat(50_000).getBytes(StandardCharsets.US_ASCII);
        byte[] zipped = gzip(text);
        byte[] zstd = Zstd.compress(text);
        refused(Arrays.copyOf(zipped, zipped.length / 2), "is cut off, at line");
        refused(Arrays.copyOf(zipped, 5), "cannot be read");
        refused(Arrays.copyOf(zstd, zstd.length / 2), "at line");
        zipped[zipped.length / 2] ^= 0x55;
        refused(zipped, "damaged");
    }

    @Test
    void binaryAndOverlongLinesAreRefused() throws IOException {
        byte[] rubbish = new byte[10_000];
        new Random(42).nextBytes(rubbish);
        rubbish[0] = 0;
        refused(rubbish, "not text, at line 1");
        refused(new byte[] {'a', '\n', (byte) 0xC3, '(', '\n'}, "not UTF-8, at line 2");
        refused(("ok\n" + "x".repeat(5_000)).getBytes(StandardCharsets.US_ASCII), "more than 1024 bytes", "at line 2");
    }
}
