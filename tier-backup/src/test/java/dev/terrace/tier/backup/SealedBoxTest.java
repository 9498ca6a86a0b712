package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobSource;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serial;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealedBoxTest {
    private static final int CHUNK = 1 << BoxHeader.SMALLEST_CHUNK;
    private static final int SEALED_CHUNK = CHUNK + AesGcm.TAG_BYTES;
    private static final int HEADER = 39 + 1_176 + 32;

    @TempDir
    Path temp;

    private final RecipientKey own = RecipientKey.create(new Scripted(1));

    /** As random as a seed, so that a box is the same each time. */
    private static final class Scripted extends SecureRandom {
        @Serial
        private static final long serialVersionUID = 1L;

        private final transient SplittableRandom source;

        Scripted(long seed) {
            source = new SplittableRandom(seed);
        }

        @Override
        public void nextBytes(byte[] bytes) {
            source.nextBytes(bytes);
        }
    }

    private static byte[] content(int length) {
        byte[] bytes = new byte[length];
        new SplittableRandom(length).nextBytes(bytes);
        return bytes;
    }

    private static byte[] sealed(byte[] content, SecureRandom random, Recipient... to) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream box = SealedBox.seal(out, List.of(to), BoxHeader.SMALLEST_CHUNK, random)) {
            box.write(content);
        }
        return out.toByteArray();
    }

    private static byte[] opened(byte[] box, RecipientKey key) throws IOException {
        try (InputStream in = SealedBox.open(new ByteArrayInputStream(box), key)) {
            return in.readAllBytes();
        }
    }

    @Test
    void whatWasSealedIsOpenedWhateverItsLength() throws IOException {
        for (int length : new int[] {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 17}) {
            byte[] content = content(length);
            byte[] box = sealed(content, new SecureRandom(), own.recipient());
            assertThat(opened(box, own)).as("%d bytes", length).isEqualTo(content);
            assertThat(box).hasSize(HEADER + length + AesGcm.TAG_BYTES * Math.max(1, (length + CHUNK - 1) / CHUNK));
        }
    }

    @Test
    void aSourceIsSealedAnewWhereverItIsReadFrom() throws IOException {
        SealedTo envelope = new SealedTo(List.of(own.recipient()));
        for (int length : new int[] {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17}) {
            byte[] content = content(length);
            BlobSource box = envelope.wrap(BlobSource.of(content));
            byte[] all = read(box, 0);
            assertThat(all).hasSize(Math.toIntExact(box.length()));
            assertThat(box.length()).isEqualTo(envelope.length(length));
            assertThat(opened(all, own)).isEqualTo(content);
            for (int from : new int[] {1, HEADER - 1, HEADER, HEADER + SEALED_CHUNK - 1, HEADER + SEALED_CHUNK + 5}) {
                if (from <= all.length) {
                    assertThat(read(box, from)).as("%d from %d", length, from).isEqualTo(tail(all, from));
                }
            }
            assertThat(read(box, all.length)).isEmpty();
            assertThat(read(envelope.wrap(BlobSource.of(content)), 0))
                    .as("another box")
                    .isNotEqualTo(all);
        }
    }

    private static byte[] read(BlobSource source, long from) throws IOException {
        try (InputStream in = source.open(from)) {
            return in.readAllBytes();
        }
    }

    private static byte[] tail(byte[] all, int from) {
        return Arrays.copyOfRange(all, from, all.length);
    }

    @Test
    void smallWritesAndSingleBytesGiveTheSame() throws IOException {
        byte[] content = content(CHUNK + 1_000);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream box = SealedBox.seal(out, List.of(own.recipient()))) {
            int at = 0;
            for (int step = 1; at < content.length; step = step % 977 + 1) {
                int part = Math.min(step, content.length - at);
                if (part == 1) {
                    box.write(content[at]);
                } else {
                    box.write(content, at, part);
                }
                at += part;
            }
        }
        try (InputStream in = SealedBox.open(new ByteArrayInputStream(out.toByteArray()), own)) {
            for (byte expected : content) {
                assertThat((byte) in.read()).isEqualTo(expected);
            }
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @Test
    void eachOfSeveralRecipientsOpensItAloneAndNobodyElse() throws IOException {
        RecipientKey other = RecipientKey.create(new Scripted(2));
        RecipientKey stranger = RecipientKey.create(new Scripted(3));
        byte[] box = sealed(content(100), new SecureRandom(), own.recipient(), other.recipient());
        assertThat(opened(box, own)).isEqualTo(content(100));
        assertThat(opened(box, other)).isEqualTo(content(100));
        assertThatThrownBy(() -> opened(box, stranger))
                .isInstanceOf(SealedBox.NotForUsException.class)
                .hasMessageContaining(stranger.recipient().fingerprint());
        assertThatThrownBy(() -> sealed(content(1), new SecureRandom())).isInstanceOf(IllegalArgumentException.class);
    }

    /** Bytes of this format, pinned: what they were when it was made. */
    @Test
    void aBoxHasExactlyTheseBytes() throws Exception {
        byte[] box = sealed("forty-two".getBytes(StandardCharsets.US_ASCII), new Scripted(7), own.recipient());
        Path sample = Path.of("src", "test", "resources", "sealed-1", "box");
        byte[] kept = Files.readAllBytes(sample);
        assertThat(HexFormat.of().formatHex(kept, 0, 7)).isEqualTo("54424f58" + "01" + "10" + "01");
        assertThat(MessageDigest.isEqual(box, kept)).isTrue();
        RecipientKey key = RecipientKey.decode(Files.readAllBytes(sample.resolveSibling("key")), Backups.PASSPHRASE);
        assertThat(new String(opened(kept, key), StandardCharsets.US_ASCII)).isEqualTo("forty-two");
        assertThat(own.encode(Backups.PASSPHRASE, new Scripted(8)))
                .isEqualTo(Files.readAllBytes(sample.resolveSibling("key")));
    }

    @Test
    @Tag("F58")
    void noChangedBitGoesUnseen() throws IOException {
        byte[] box = sealed(content(40), new Scripted(9), own.recipient());
        for (int at = 0; at < box.length; at++) {
            byte[] changed = box.clone();
            changed[at] ^= (byte) (1 << at % 8);
            assertThatThrownBy(() -> opened(changed, own))
                    .as("byte %d", at)
                    .isInstanceOf(SealedBox.DamagedException.class);
        }
    }

    @Test
    void noMissingOrAddedEndGoesUnseen() throws IOException {
        byte[] small = sealed(content(40), new Scripted(9), own.recipient());
        for (int length = 0; length < small.length; length++) {
            byte[] cut = Arrays.copyOf(small, length);
            assertThatThrownBy(() -> opened(cut, own))
                    .as("%d bytes", length)
                    .isInstanceOf(SealedBox.DamagedException.class);
        }
        byte[] longer = Arrays.copyOf(small, small.length + 1);
        assertThatThrownBy(() -> opened(longer, own)).isInstanceOf(SealedBox.DamagedException.class);
        byte[] large = sealed(content(3 * CHUNK), new Scripted(9), own.recipient());
        for (int chunks = 0; chunks < 3; chunks++) {
            for (int more : new int[] {0, 1, AesGcm.TAG_BYTES, 100}) {
                byte[] cut = Arrays.copyOf(large, HEADER + chunks * SEALED_CHUNK + more);
                assertThatThrownBy(() -> opened(cut, own)).isInstanceOf(SealedBox.DamagedException.class);
            }
        }
    }

    @Test
    void chunksCannotBeSwappedRepeatedOrMovedToAnotherBox() throws IOException {
        byte[] box = sealed(content(3 * CHUNK), new Scripted(9), own.recipient());
        byte[] other = sealed(content(3 * CHUNK), new Scripted(10), own.recipient());
        for (int from = 0; from < 3; from++) {
            for (int to = 0; to < 3; to++) {
                byte[] changed = box.clone();
                byte[] source = from == to ? other : box;
                System.arraycopy(
                        source, HEADER + from * SEALED_CHUNK, changed, HEADER + to * SEALED_CHUNK, SEALED_CHUNK);
                assertThatThrownBy(() -> opened(changed, own)).isInstanceOf(SealedBox.DamagedException.class);
            }
        }
    }

    @Test
    void aBoxThatWasNotClosedDoesNotOpen() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream never = SealedBox.seal(out, List.of(own.recipient()))) {
            never.write(content(3 * CHUNK));
            never.flush();
            byte[] unfinished = out.toByteArray();
            assertThatThrownBy(() -> opened(unfinished, own)).isInstanceOf(SealedBox.DamagedException.class);
        }
    }

    @Test
    void aKeyPairLivesInAFileUnderItsPassphrase() throws IOException {
        Path file = temp.resolve("offline.key");
        Recipient recipient = RecipientKey.create(file, Backups.PASSPHRASE);
        assertThat(Recipient.parse("  " + recipient + "\n")).isEqualTo(recipient);
        byte[] box = sealed(content(10), new SecureRandom(), Recipient.parse(recipient.toString()));
        assertThat(opened(box, RecipientKey.read(file, Backups.PASSPHRASE))).isEqualTo(content(10));
        assertThatThrownBy(() -> RecipientKey.read(file, new Secret("wrong")))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("wrong passphrase");
        assertThatThrownBy(() -> RecipientKey.create(file, Backups.PASSPHRASE))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("exists already");
        assertThatThrownBy(() -> RecipientKey.read(temp.resolve("none"), Backups.PASSPHRASE))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("does not exist");
        for (String wrong : new String[] {"", "age1xyz", recipient.toString().substring(0, 100), recipient + "AAAA"}) {
            assertThatThrownBy(() -> Recipient.parse(wrong)).isInstanceOf(SetupException.class);
        }
    }
}
