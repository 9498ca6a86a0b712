package dev.terrace.testkit.s3;

import dev.terrace.testkit.s3.S3Fault.Request;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * An HTTP proxy on loopback before a real S3 server, with faults by plan. Each request gets a connection of its own to the server, and each answer ends
 * the client's connection. Bodies are held in memory. Thread-safe.
 */
public final class FaultyS3 implements AutoCloseable {
    private static final int SOCKET_MILLIS = 60_000;

    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong faults = new AtomicLong();
    private volatile S3Fault.Plan plan = request -> S3Fault.NONE;
    private volatile boolean closed;

    private FaultyS3(ServerSocket listener, int target) {
        this.listener = listener;
        this.target = target;
    }

    /** Stands before the server on this port. */
    public static FaultyS3 before(int port) throws IOException {
        FaultyS3 proxy = new FaultyS3(new ServerSocket(0, 256, InetAddress.getLoopbackAddress()), port);
        thread("faulty-s3", proxy::accept);
        return proxy;
    }

    /** Where clients find it. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** What becomes of the requests from now on. */
    public void plan(S3Fault.Plan next) {
        plan = next;
    }

    /** The next requests that fit have this fault, so many of them; then all is well. */
    public void next(int count, S3Fault fault, Predicate<Request> fits) {
        AtomicLong left = new AtomicLong(count);
        plan(request -> fits.test(request) && left.getAndDecrement() > 0 ? fault : S3Fault.NONE);
    }

    /** How many requests came so far. */
    public long requests() {
        return requests.get();
    }

    /** How many of them had a fault. */
    public long faults() {
        return faults.get();
    }

    private static void thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = listener.accept();
                open.add(client);
                thread("faulty-s3-connection", () -> serve(client));
            } catch (IOException e) {
                return; // Closed.
            }
        }
    }

    private void serve(Socket client) {
        boolean keep = false;
        try {
            client.setSoTimeout(SOCKET_MILLIS);
            client.setTcpNoDelay(true);
            HttpMessage message = HttpMessage.request(client.getInputStream(), client.getOutputStream());
            if (message != null) {
                String[] line = message.firstLine().split(" ");
                String[] address = line[1].split("\\?", 2);
                Request request = new Request(
                        requests.incrementAndGet(), line[0], address[0], address.length > 1 ? address[1] : "");
                S3Fault fault = plan.at(request);
                faults.addAndGet(fault == S3Fault.NONE ? 0 : 1);
                keep = !answer(client, request, message, fault);
            }
        } catch (IOException e) {
            reset(client); // One side went away; so does the other.
        } finally {
            if (!keep) {
                close(client);
            }
        }
    }

    /** False when the connection stays open. */
    private boolean answer(Socket client, Request request, HttpMessage message, S3Fault fault) throws IOException {
        switch (fault) {
            case ERROR -> say(client, 500, "Internal Server Error", error(request, "InternalError"), "");
            case SLOW_DOWN -> say(client, 503, "Slow Down", error(request, "SlowDown"), "");
            case NOT_IMPLEMENTED -> say(client, 501, "Not Implemented", error(request, "NotImplemented"), "");
            case SKEWED_CLOCK -> say(client, 403, "Forbidden", error(request, "RequestTimeTooSkewed"), skewedDate());
            case ERROR_IN_200 -> say(client, 200, "OK", error(request, "InternalError"), "");
            case LOST -> say(client, 404, "Not Found", error(request, "NoSuchKey"), "");
            case STALE_LISTING -> say(client, 200, "OK", listing(request), "");
            case RESET -> reset(client);
            case SILENCE -> {
                return false;
            }
            case ANSWER_LOST -> {
                exchange(message.whole());
                reset(client);
            }
            case HALF_UPLOAD -> {
                half(message);
                reset(client);
            }
            case CONDITION_STRIPPED ->
                send(client, exchange(message.without("if-none-match").whole()));
            case TRUNCATED_ANSWER -> {
                HttpMessage answered = HttpMessage.answer(exchange(message.whole()));
                send(client, answered.firstBytes(answered.body().length / 2));
            }
            case FLIPPED_BIT -> {
                HttpMessage answered = HttpMessage.answer(exchange(message.whole()));
                send(client, answered.flipped().whole());
            }
            case NONE -> send(client, exchange(message.whole()));
        }
        return true;
    }

    private byte[] exchange(byte[] request) throws IOException {
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            server.setSoTimeout(SOCKET_MILLIS);
            server.getOutputStream().write(request);
            server.getOutputStream().flush();
            InputStream in = server.getInputStream();
            return in.readAllBytes();
        }
    }

    private void half(HttpMessage message) throws IOException {
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            OutputStream out = server.getOutputStream();
            out.write(message.firstBytes(message.body().length / 2));
            out.flush();
            server.setSoLinger(true, 0);
        }
    }

    private static void send(Socket client, byte[] answer) throws IOException {
        client.getOutputStream().write(answer);
        client.getOutputStream().flush();
    }

    private static void say(Socket client, int status, String reason, String body, String headers) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + status + " " + reason + "\r\nContent-Type: application/xml\r\nContent-Length: "
                + bytes.length + "\r\nConnection: close\r\n" + headers + "\r\n";
        client.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        send(client, bytes);
    }

    /** Answers to HEAD have no body. */
    private static String error(Request request, String code) {
        if (request.method().equals("HEAD")) {
            return "";
        }
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code
                + "</Code><Message>as the test says</Message><RequestId>test</RequestId></Error>";
    }

    private static String listing(Request request) {
        String bucket = request.path().replace("/", "");
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><Name>" + bucket
                + "</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
                + "<IsTruncated>false</IsTruncated></ListBucketResult>";
    }

    private static String skewedDate() {
        ZonedDateTime ahead =
                InstantSource.system().instant().plusSeconds(3_600).atZone(ZoneOffset.UTC);
        return "Date: " + DateTimeFormatter.RFC_1123_DATE_TIME.format(ahead) + "\r\n";
    }

    /** With what was not sent yet thrown away, and a reset in its place. */
    private static void reset(Socket client) {
        try {
            client.setSoLinger(true, 0);
        } catch (IOException e) {
            return; // It is closed already.
        }
    }

    private void close(Socket client) {
        open.remove(client);
        try {
            client.close();
        } catch (IOException e) {
            return; // Nothing is left to be done with it.
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        listener.close();
        open.forEach(this::close);
    }
}
