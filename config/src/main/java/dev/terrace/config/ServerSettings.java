package dev.terrace.config;

import org.jspecify.annotations.Nullable;

/**
 * The node's HTTP server.
 *
 * @param host where it listens; anything but loopback needs a token
 * @param port 0 for any free one
 * @param token what callers must send as a bearer token; null for none
 * @param maxBodyBytes longest request body
 * @param chaos whether callers may break things on purpose, under {@code /chaos}
 * @param environment what people call this deployment, such as {@code staging}; null when that is not said
 */
public record ServerSettings(
        String host,
        int port,
        @Nullable Secret token,
        int maxBodyBytes,
        boolean chaos,
        @Nullable String environment) {
    /** Of an environment without a name. */
    public ServerSettings(String host, int port, @Nullable Secret token, int maxBodyBytes, boolean chaos) {
        this(host, port, token, maxBodyBytes, chaos, null);
    }

    /** Without chaos. */
    public ServerSettings(String host, int port, @Nullable Secret token, int maxBodyBytes) {
        this(host, port, token, maxBodyBytes, false);
    }

    /** 127.0.0.1:8080, no token, 8 MiB, no chaos. */
    public static ServerSettings defaults() {
        return new ServerSettings("127.0.0.1", 8080, null, 8 << 20);
    }

    /** The same, with or without chaos. */
    public ServerSettings withChaos(boolean newChaos) {
        return new ServerSettings(host, port, token, maxBodyBytes, newChaos, environment);
    }

    /** True for names and addresses that only this machine reaches. */
    public static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.\\d{1,3}){3}");
    }
}
