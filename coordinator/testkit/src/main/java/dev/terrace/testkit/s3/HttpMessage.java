package dev.terrace.testkit.s3;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 message in memory: lines of its head, and its body as it was on the wire. */
final class HttpMessage {
    private static final int LONGEST_HEAD = 64 << 10;

    private final List<String> head;
    private final byte[] body;

    private HttpMessage(List<String> head, byte[] body) {
        this.head = head;
        this.body = body;
    }

    /** The next request, to be answered by one who closes then; null when there is none. Tells the client to go on when it asks. */
    static @Nullable HttpMessage request(InputStream in, OutputStream out) throws IOException {
        List<String> head = head(in);
        if (head.isEmpty()) {
            return null;
        }
        HttpMessage message = new HttpMessage(head, new byte[0]);
        if (message.header("expect") != null) {
            out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
        }
        if (message.header("transfer-encoding") != null) {
            throw new IOException("chunked requests are not for this proxy");
        }
        String length = message.header("content-length");
        byte[] body = new byte[length == null ? 0 : Integer.parseInt(length)];
        if (in.readNBytes(body, 0, body.length) < body.length) {
            throw new EOFException("a request without its end");
        }
        List<String> forwarded =
                new ArrayList<>(new HttpMessage(head, body).without("expect").without("connection").head);
        forwarded.add("Connection: close");
        return new HttpMessage(forwarded, body);
    }

    /** An answer that ended with its connection. */
    static HttpMessage answer(byte[] whole) throws IOException {
        InputStream in = new ByteArrayInputStream(whole);
        List<String> head = head(in);
        return new HttpMessage(head, in.readAllBytes());
    }

    private static List<String> head(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (true) {
            int next = in.read();
            if (next < 0) {
                return List.of();
            }
            bytes.write(next);
            if (bytes.size() > LONGEST_HEAD) {
                throw new IOException("a head without an end");
            }
            if (next == '\n' && bytes.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                return bytes.toString(StandardCharsets.ISO_8859_1)
                        .lines()
                        .filter(line -> !line.isEmpty())
                        .toList();
            }
        }
    }

    String firstLine() {
        return head.get(0);
    }

    byte[] body() {
        return body;
    }

    private @Nullable String header(String name) {
        return head.stream()
                .filter(line -> isNamed(line, name))
                .map(line -> line.substring(name.length() + 1).trim())
                .findFirst()
                .orElse(null);
    }

    private static boolean isNamed(String line, String name) {
        return line.toLowerCase(Locale.ROOT).startsWith(name + ":");
    }

    HttpMessage without(String name) {
        return new HttpMessage(
                head.stream().filter(line -> !isNamed(line, name)).toList(), body);
    }

    /** One bit in the middle of the body changed. */
    HttpMessage flipped() {
        byte[] other = body.clone();
        if (other.length > 0) {
            other[other.length / 2] ^= 1;
        }
        return new HttpMessage(head, other);
    }

    byte[] whole() {
        return firstBytes(body.length);
    }

    /** The head and so much of the body. */
    byte[] firstBytes(int ofBody) {
        byte[] first = (String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = Arrays.copyOf(first, first.length + ofBody);
        System.arraycopy(body, 0, all, first.length, ofBody);
        return all;
    }
}
