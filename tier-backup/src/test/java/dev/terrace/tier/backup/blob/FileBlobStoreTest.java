package dev.terrace.tier.backup.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Written;
import dev.terrace.spi.BlobStoreProvider;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.blob.BlobStoreContract;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FileBlobStoreTest extends BlobStoreContract {
    @TempDir
    Path temp;

    @Override
    protected BlobStore open() throws Exception {
        return open(temp.resolve("blobs"));
    }

    private static BlobStore open(Path folder) throws Exception {
        BlobStoreProvider provider = ServiceLoader.load(BlobStoreProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(one -> one.scheme().equals("file"))
                .findFirst()
                .orElseThrow();
        return provider.open(URI.create("file:" + folder), new TestContext(new ManualClock(0)));
    }

    @Override
    protected boolean leaveUnfinished() throws Exception {
        Files.writeString(temp.resolve("blobs").resolve(BlobFolder.UNFINISHED).resolve("some"), "half");
        return true;
    }

    @Test
    void isFoundToCreateOnlyWhatIsAbsent() {
        assertThat(store().capabilities().createsIfAbsent()).isTrue();
        assertThat(store().location().getScheme()).isEqualTo("file");
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "Windows has no POSIX permissions")
    void onlyTheOwnerReads() throws Exception {
        store().write("a/b/c", new byte[1], false);
        store().write("a/d", new byte[1], true);
        Path root = temp.resolve("blobs");
        try (Stream<Path> all = Files.walk(root)) {
            for (Path one : all.toList()) {
                String expected = Files.isDirectory(one) ? "rwx------" : "rw-------";
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one)))
                        .as(one.toString())
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void leavesNothingUnfinished() throws Exception {
        store().write("a", new byte[10], false);
        store().write("a", new byte[10], true);
        assertFails(
                Kind.CORRUPT,
                () -> store().write("a", source(10, from -> java.io.InputStream.nullInputStream()), false));
        try (Stream<Path> left = Files.list(temp.resolve("blobs").resolve(BlobFolder.UNFINISHED))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "on Windows links need a privilege")
    void refusesLinksThatLeadOut() throws Exception {
        Path outside = Files.createDirectory(temp.resolve("outside"));
        Path secret = Files.writeString(outside.resolve("secret"), "secret");
        Path root = temp.resolve("blobs");
        Files.createSymbolicLink(root.resolve("link"), outside);
        Files.createSymbolicLink(root.resolve("file"), secret);
        Files.createSymbolicLink(root.resolve("dangling"), temp.resolve("nowhere"));
        assertFails(Kind.DENIED, () -> store().read("link/secret", 10));
        assertFails(Kind.DENIED, () -> store().open("file", 0, 1));
        assertFails(Kind.DENIED, () -> store().stat("dangling"));
        assertFails(Kind.DENIED, () -> store().write("link/made", new byte[1], false));
        assertFails(Kind.DENIED, () -> store().write("link/deep/made", new byte[1], false));
        assertFails(Kind.DENIED, () -> store().delete(List.of("link/secret")));
        assertThat(secret).exists();
        assertThat(outside.resolve("made")).doesNotExist();
        assertThat(outside.resolve("deep")).doesNotExist();
        // A name that is a link itself is replaced, not followed.
        assertThat(store().write("file", new byte[] {7}, false)).isEqualTo(Written.STORED);
        assertThat(Files.readString(secret)).isEqualTo("secret");
        assertThat(store().read("file", 1)).hasValue(new byte[] {7});
        assertThat(store().list("", null, 10).blobs())
                .extracting(BlobStore.Stat::name)
                .containsExactly("file");
    }

    @Test
    void aBlobWhereAFolderWouldBeIsSaid() throws Exception {
        store().write("a", new byte[1], false);
        assertFails(Kind.UNSUPPORTED, () -> store().write("a/b", new byte[1], false));
        assertThat(store().stat("a/b")).isEmpty();
        store().write("c/d", new byte[1], false);
        assertFails(Kind.UNSUPPORTED, () -> store().write("c", new byte[1], false));
        assertThat(store().stat("c")).isEmpty();
    }

    @Test
    void saysWhatIsWrongWithAFolder() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "x");
        assertThatThrownBy(() -> open(file)).isInstanceOf(SetupException.class).hasMessageContaining("it is a file");
        assertThatThrownBy(() -> open(temp.resolve("no/such/parent")))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("cannot be used");
    }
}
