package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.HostAndPort;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * One connection that speaks RESP2, and RESP3 after HELLO, for one thread; {@link #close} from any. What no pooled client offers and a log needs: a
 * blocking read on a connection of its own with a deadline of its own, and answers of any size read without holding them, so
 * that a huge entry by someone else's hand costs time but no memory.
 *
 * <p>Answers are {@code null}, {@link Long}, {@link String} (status), {@code byte[]}, {@link List}, {@link Push}, or {@link
 * #TOO_LONG}.
 */
final class RespConnection implements AutoCloseable {
    /** Stands for a text that was read but not kept. */
    static final Object TOO_LONG = new Object();

    /**
     * What the server says unasked.
     *
     * @param whole false when parts were read but not kept
     */
    record Push(List<@Nullable Object> parts, boolean whole) {}

    private static final int LONGEST_TEXT_BYTES = 128 * 1024;
    private static final int LONGEST_LINE_BYTES = 4 * 1024;
    private static final int MOST_ELEMENTS = 1_024;
    private static final int MOST_PUSHED = 16_384;
    private static final int DEEPEST = 8;
    private static final long MOST_KEPT_BYTES = 32L * 1024 * 1024;

    private final HostAndPort server;
    private final Socket socket;
    private final InputStream in;
    private final byte[] skipping = new byte[16 * 1024];
    private long keptBytes;

    /** Whether everything of the answer that is being read was kept. */
    private boolean whole;

    private int mostElements = MOST_ELEMENTS;

    private RespConnection(HostAndPort server, Socket socket) throws IOException {
        this.server = server;
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
    }

    /** Connects, without giving credentials. */
    static RespConnection open(HostAndPort server, int connectMillis, @Nullable TlsSettings tls) throws IOException {
        Socket plain = new Socket();
        try {
            plain.setTcpNoDelay(true);
            plain.setKeepAlive(true);
            plain.connect(new InetSocketAddress(server.host(), server.port()), connectMillis);
            plain.setSoTimeout(connectMillis);
            return new RespConnection(server, tls == null ? plain : secured(plain, server, tls));
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    private static Socket secured(Socket plain, HostAndPort server, TlsSettings tls) throws IOException {
        try {
            TrustManagerFactory trust = PemFiles.trust(tls);
            KeyManagerFactory identity = PemFiles.identity(tls);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    identity == null ? null : identity.getKeyManagers(),
                    trust == null ? null : trust.getTrustManagers(),
                    null);
            SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket(plain, server.host(), server.port(), true);
            if (tls.verifyHostname()) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
            }
            socket.startHandshake();
            return socket;
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
        }
    }

    HostAndPort server() {
        return server;
    }

    /**
     * Sends a command and waits for its answer.
     *
     * @param silenceMillis how long the server may say nothing
     * @param words texts or bytes
     * @throws RespException when the answer is an error; the connection stays usable
     * @throws IOException when there is no answer; the connection is of no use any more
     */
    @Nullable
    Object call(int silenceMillis, Object... words) throws IOException {
        send(words);
        return receive(silenceMillis);
    }

    void send(Object... words) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream(256);
        request.writeBytes(("*" + words.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
        for (Object word : words) {
            byte[] bytes =
                    word instanceof byte[] given ? given : word.toString().getBytes(StandardCharsets.UTF_8);
            request.writeBytes(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
            request.writeBytes(bytes);
            request.write('\r');
            request.write('\n');
        }
        request.writeTo(socket.getOutputStream());
    }

    @Nullable
    Object receive(int silenceMillis) throws IOException {
        socket.setSoTimeout(silenceMillis);
        keptBytes = 0;
        whole = true;
        Object answer = read(0);
        if (answer instanceof RespException error) {
            throw error;
        }
        return answer;
    }

    private @Nullable Object read(int depth) throws IOException {
        int type = in.read();
        if (type < 0) {
            throw new EOFException("the server closed the connection");
        }
        String line = line();
        switch (type) {
            case '+':
                return line;
            case '-':
                return new RespException(line);
            case ':':
                return number(line);
            case '$':
                return text(number(line));
            case '*':
            case '~':
                return list(number(line), depth);
            case '%':
                return list(2 * number(line), depth);
            case '>':
                List<@Nullable Object> parts = list(number(line), depth);
                return new Push(parts == null ? List.of() : parts, whole);
            case '_':
                return null;
            case '#':
            case ',':
            case '(':
                return line;
            case '=':
                return text(number(line));
            case '!':
                Object error = text(number(line));
                return new RespException(String.valueOf(textOf(error)));
            default:
                throw notRedis();
        }
    }

    private static IOException notRedis() {
        return new IOException("what listens there is not a Redis server: its answer cannot be read");
    }

    private static long number(String line) throws IOException {
        try {
            return Long.parseLong(line);
        } catch (NumberFormatException e) {
            throw notRedis();
        }
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the server closed the connection");
            }
            if (line.length() >= LONGEST_LINE_BYTES) {
                throw notRedis();
            }
            line.append((char) c);
        }
        int end = line.length() - 1;
        if (end < 0 || line.charAt(end) != '\r') {
            throw notRedis();
        }
        line.setLength(end);
        return line.toString();
    }

    private @Nullable Object text(long length) throws IOException {
        if (length < 0) {
            return null;
        }
        if (length > LONGEST_TEXT_BYTES || keptBytes + length > MOST_KEPT_BYTES) {
            whole = false;
            skip(length + 2);
            return TOO_LONG;
        }
        keptBytes += length;
        byte[] bytes = in.readNBytes((int) length);
        if (bytes.length < length) {
            throw new EOFException("the server closed the connection");
        }
        skip(2);
        return bytes;
    }

    private void skip(long bytes) throws IOException {
        for (long left = bytes; left > 0; ) {
            int n = in.read(skipping, 0, (int) Math.min(left, skipping.length));
            if (n < 0) {
                throw new EOFException("the server closed the connection");
            }
            left -= n;
        }
    }

    private @Nullable List<@Nullable Object> list(long size, int depth) throws IOException {
        if (size < 0) {
            return null;
        }
        if (depth >= DEEPEST) {
            throw notRedis();
        }
        List<@Nullable Object> elements = new ArrayList<>((int) Math.min(size, 16));
        for (long i = 0; i < size; i++) {
            Object element = read(depth + 1);
            if (i < mostElements) {
                elements.add(element);
            } else {
                whole = false;
            }
        }
        return elements;
    }

    /** Keeps longer lists than usual. */
    void keepLongLists() {
        mostElements = MOST_PUSHED;
    }

    /** The text of an answer, or null when it is none. */
    static @Nullable String textOf(@Nullable Object answer) {
        if (answer instanceof byte[] bytes) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
        return answer instanceof String text ? text : null;
    }

    /** Also ends a call that waits on another thread. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
