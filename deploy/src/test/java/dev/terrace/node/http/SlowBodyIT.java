package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.ServerSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SlowBodyIT {
    private static final int PACE_MILLIS = 20;
    private static final int BYTES = 100_000;

    @Test
    @Tag("F70")
    void aBodyThatTricklesInIsCutOff() throws IOException {
        ServerSettings server = new ServerSettings("127.0.0.1", 0, null, 1 << 20);
        try (CacheCoordinator coordinator =
                        CacheCoordinator.open(Settings.defaults().withServer(server));
                HttpNode node = new HttpNode(coordinator, server, null, null, null, Duration.ofMillis(300))) {
            node.start();
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
                socket.setSoTimeout(PACE_MILLIS);
                OutputStream out = socket.getOutputStream();
                out.write(("PUT /v1/caches/demo/entries/slow HTTP/1.1\r\nHost: 127.0.0.1:" + node.port()
                                + "\r\nContent-Length: " + BYTES + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                assertThat(answerTo(socket, out)).startsWith("HTTP/1.1 408").contains("Connection: close");
            }
        }
    }

    /** Sends a byte whenever the server has said nothing for a moment. */
    private static String answerTo(Socket socket, OutputStream out) throws IOException {
        byte[] answer = new byte[4_096];
        for (int sent = 0; sent < BYTES; sent++) {
            try {
                int length = socket.getInputStream().read(answer);
                return new String(answer, 0, Math.max(0, length), StandardCharsets.UTF_8);
            } catch (SocketTimeoutException nothingYet) {
                out.write('x');
                out.flush();
            }
        }
        return "took it all";
    }
}
