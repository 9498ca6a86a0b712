package dev.terrace.tier.redis;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Stands before a real server and plays one of a later version: says another version and that it keeps an append-only file, and answers
 * {@code WAITAOF} by itself. Everything else is the real server's.
 */
final class LaterRedis implements AutoCloseable {
    private final ServerSocket listening;
    private final int upstreamPort;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Queue<List<String>> waits = new ConcurrentLinkedQueue<>();
    private final Queue<String> before = new ConcurrentLinkedQueue<>();
    private volatile String version = "7.2.4";
    private volatile boolean aof = true;
    private volatile String answer = "*2\r\n:1\r\n:1\r\n";

    LaterRedis(int upstreamPort) throws IOException {
        this.upstreamPort = upstreamPort;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    void says(String newVersion, boolean newAof) {
        version = newVersion;
        aof = newAof;
    }

    /** What it answers from now on: how many disks have it here, and how many replicas'. */
    void counts(int local, int replicas) {
        answer = "*2\r\n:" + local + "\r\n:" + replicas + "\r\n";
    }

    void fails(String error) {
        answer = "-" + error + "\r\n";
    }

    /** The arguments of every {@code WAITAOF} so far. */
    List<List<String>> waits() {
        return List.copyOf(waits);
    }

    /** The command that came before each of them on its connection. */
    List<String> before() {
        return List.copyOf(before);
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "later-redis");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listening.accept();
                open.add(client);
                daemon(() -> serve(client));
            }
        } catch (IOException closed) {
            return; // the test is over
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket server = new Socket(InetAddress.getLoopbackAddress(), upstreamPort)) {
            open.add(server);
            InputStream asked = new BufferedInputStream(client.getInputStream());
            InputStream answers = new BufferedInputStream(server.getInputStream());
            OutputStream out = client.getOutputStream();
            String last = "";
            while (true) {
                ByteArrayOutputStream raw = new ByteArrayOutputStream();
                List<String> words = new ArrayList<>();
                read(asked, raw, words);
                String name = words.get(0).toUpperCase(Locale.ROOT);
                if (name.equals("WAITAOF")) {
                    waits.add(List.copyOf(words.subList(1, words.size())));
                    before.add(last);
                    out.write(answer.getBytes(StandardCharsets.US_ASCII));
                } else {
                    server.getOutputStream().write(raw.toByteArray());
                    ByteArrayOutputStream reply = new ByteArrayOutputStream();
                    List<String> texts = new ArrayList<>();
                    read(answers, reply, texts);
                    out.write(name.equals("INFO") ? bulk(disguised(texts.get(0))) : reply.toByteArray());
                }
                out.flush();
                last = name;
            }
        } catch (IOException over) {
            return; // either side has closed
        }
    }

    private String disguised(String info) {
        return info.replaceAll("redis_version:[^\r\n]*", "redis_version:" + version)
                .replaceAll("aof_enabled:\\d", "aof_enabled:" + (aof ? 1 : 0));
    }

    private static byte[] bulk(String text) {
        return ("$" + text.length() + "\r\n" + text + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    /** One value of the protocol, as it came, and the texts in it. */
    private static void read(InputStream in, ByteArrayOutputStream raw, List<String> texts) throws IOException {
        String line = line(in, raw);
        int length = line.charAt(0) == '$' || line.charAt(0) == '*' ? Integer.parseInt(line.substring(1)) : -1;
        if (line.charAt(0) == '*') {
            for (int i = 0; i < length; i++) {
                read(in, raw, texts);
            }
        } else if (line.charAt(0) == '$' && length >= 0) {
            byte[] bytes = in.readNBytes(length + 2);
            raw.write(bytes);
            texts.add(new String(bytes, 0, Math.max(0, bytes.length - 2), StandardCharsets.ISO_8859_1));
        }
    }

    private static String line(InputStream in, ByteArrayOutputStream raw) throws IOException {
        StringBuilder line = new StringBuilder();
        int b;
        while ((b = in.read()) != '\n') {
            if (b < 0) {
                throw new EOFException();
            }
            raw.write(b);
            if (b != '\r') {
                line.append((char) b);
            }
        }
        raw.write('\n');
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
