package dev.terrace.config;

import org.jspecify.annotations.Nullable;

/**
 * The node's HTTP server.
 *
 * @param host where it listens; anything but loopback needs a token
 * @param port 0 for any free one
 * @param token what callers must send as a bearer token; null for none
 * @param maxBodyBytes longest request body
 */
public record ServerSettings(
        String host, int port, @Nullable Secret token, int maxBodyBytes) {
    /** 127.0.0.1:8080, no token, 8 MiB. */
    public static ServerSettings defaults() {
        return new ServerSettings("127.0.0.1", 8080, null, 8 << 20);
    }

    /** True for names and addresses that only this machine reaches. */
    public static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.\\d{1,3}){3}");
    }
}
