package dev.terrace.node.embedded;

import dev.terrace.config.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What lies in the folder of an embedded Redis.
 *
 * @param home the folder, a real path
 */
record RedisFolder(Path home) {
    private static final int LOG_TAIL_CHARS = 600;

    private Path log() {
        return home.resolve("redis.log");
    }

    /** Writes the server's settings. In a file, because everybody can read the arguments of a process. */
    Path writeConfig(int port, Secret password, int memoryMib) throws IOException {
        Files.deleteIfExists(log());
        Path config = home.resolve("redis.conf");
        // Every path is relative to the working folder, so that no folder name needs quoting.
        OwnerOnly.write(
                config,
                String.join(
                        "\n",
                        List.of(
                                "bind 127.0.0.1",
                                "protected-mode yes",
                                "port " + port,
                                "requirepass " + password.reveal(),
                                "daemonize no",
                                "pidfile redis.pid",
                                "logfile redis.log",
                                "tcp-backlog 128",
                                "dir ./",
                                "maxmemory " + memoryMib + "mb",
                                "maxmemory-policy allkeys-lru",
                                "save \"\"",
                                "appendonly yes",
                                "appendfsync everysec",
                                "aof-load-truncated yes",
                                "auto-aof-rewrite-percentage 100",
                                "auto-aof-rewrite-min-size 64mb",
                                "")));
        return config;
    }

    /** The end of what the server said, for error messages. */
    String logTail() {
        try {
            if (!Files.exists(log())) {
                return "";
            }
            String text = Files.readString(log(), StandardCharsets.ISO_8859_1).strip();
            return text.substring(Math.max(0, text.length() - LOG_TAIL_CHARS));
        } catch (IOException e) {
            return "its log cannot be read: " + e.getMessage();
        }
    }
}
