package dev.terrace.node.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded Redis keeps its data, its password and its folder to itself. */
class EmbeddedRedisIT {
    @TempDir
    Path folder;

    @AfterEach
    void nothingIsLeftBehind() throws IOException {
        assertThat(Leftovers.running(folder.toRealPath().resolve(RedisBinary.FILE_NAME)))
                .isEmpty();
    }

    @Test
    void dataSurvivesARestart() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThat(ask(redis.port(), redis.password(), "SET greeting hello"))
                    .isEqualTo("+OK");
        }
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThat(ask(redis.port(), redis.password(), "GET greeting")).isEqualTo("$5");
        }
    }

    @Test
    void dataSurvivesAKilledServer() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            ask(redis.port(), redis.password(), "SET greeting hello");
            // The server writes its log before it answers; kill -9 loses what the disk has not synced only with the
            // machine.
            ProcessHandle.of(redis.pid()).orElseThrow().destroyForcibly();
            assertThat(redis.awaitEnd(10)).isTrue();
            assertThat(redis.isAlive()).isFalse();
        }
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThat(ask(redis.port(), redis.password(), "GET greeting")).isEqualTo("$5");
        }
    }

    @Test
    void aServerLeftBehindByAKilledNodeIsEndedAndItsDataKept() throws Exception {
        Process node = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        NodeToKill.class.getName(),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long orphan;
        try (BufferedReader said =
                new BufferedReader(new InputStreamReader(node.getInputStream(), StandardCharsets.US_ASCII))) {
            orphan = Long.parseLong(said.readLine());
        } finally {
            node.destroyForcibly();
            assertThat(node.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(ProcessHandle.of(orphan)).isPresent();
        // Even one that does not react any more.
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(orphan))
                        .start()
                        .waitFor())
                .isZero();

        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThat(ProcessHandle.of(orphan)).isEmpty();
            assertThat(ask(redis.port(), redis.password(), "GET greeting")).isEqualTo("$5");
        }
    }

    @Test
    void aProcessThatMerelyHasThePidOfTheOldServerIsLeftAlone() throws Exception {
        Process foreign = new ProcessBuilder("sleep", "60").start();
        try {
            Files.writeString(folder.resolve("redis.pid"), foreign.pid() + "\n");
            try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
                assertThat(redis.isAlive()).isTrue();
                assertThat(foreign.isAlive()).isTrue();
            }
            assertThat(foreign.isAlive()).isTrue();
        } finally {
            foreign.destroyForcibly();
        }
    }

    @Test
    void asksForThePasswordAndTellsItToNobodyElse() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThat(ask(redis.port(), new Secret("wrong"), "GET greeting")).startsWith("-NOAUTH");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("redis.conf"))))
                    .isEqualTo("rw-------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                    .isEqualTo("rwx------");
            assertThat(String.join(
                            " ",
                            ProcessHandle.of(redis.pid())
                                    .orElseThrow()
                                    .info()
                                    .arguments()
                                    .orElse(new String[0])))
                    .doesNotContain(redis.password().reveal());
        }
    }

    @Test
    void memoryIsBoundedAndTheOldestKeysGo() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder, 4)) {
            for (int i = 0; i < 40; i++) {
                assertThat(ask(redis.port(), redis.password(), "SETRANGE key" + i + " 262143 x"))
                        .isEqualTo(":262144");
            }
        }
    }

    @Test
    void aSecondOneOnTheSameFolderIsRefused() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
            assertThatThrownBy(() -> EmbeddedRedis.start(folder))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("in use by another node");
            assertThat(redis.isAlive()).isTrue();
        }
    }

    @Test
    void aFolderNameWithSpacesAndQuotesWorks() throws Exception {
        Path odd = folder.resolve("my \"data\" ü");
        try (EmbeddedRedis redis = EmbeddedRedis.start(odd)) {
            assertThat(ask(redis.port(), redis.password(), "PING")).isEqualTo("+PONG");
        }
    }

    @Test
    void aFolderThatIsAFileIsRefusedWithAWayOut() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> EmbeddedRedis.start(file))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("cannot be created or written")
                .hasMessageContaining("--config");
    }

    @Test
    void aReadOnlyFolderIsRefused() throws Exception {
        assumeThat(System.getProperty("user.name"))
                .as("root may write everywhere")
                .isNotEqualTo("root");
        Path locked = Files.createDirectory(folder.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-x------"));
        assertThatThrownBy(() -> EmbeddedRedis.start(locked.resolve("redis"))).isInstanceOf(SetupException.class);
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void aDamagedLogOfWritesIsReportedWithWhatTheServerSaid() throws Exception {
        Files.writeString(folder.resolve("appendonly.aof"), "rubbish that is no log of writes\n".repeat(20));
        assertThatThrownBy(() -> EmbeddedRedis.start(folder))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("ended at once")
                .hasMessageContaining("Bad file format");
    }

    static String ask(int port, Secret password, String command) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream()
                    .write(("AUTH " + password.reveal() + "\r\n" + command + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            in.readLine();
            return List.of(in.readLine()).get(0);
        }
    }

    /** Starts a server, tells its pid, and waits to be killed. */
    static final class NodeToKill {
        private NodeToKill() {}

        public static void main(String[] args) throws Exception {
            EmbeddedRedis redis = EmbeddedRedis.start(Path.of(args[0]));
            ask(redis.port(), redis.password(), "SET greeting hello");
            System.out.println(redis.pid());
            while (System.in.read() >= 0) {
                // Nothing is said: this ends when the test does, should it not kill this process before.
            }
        }
    }
}
