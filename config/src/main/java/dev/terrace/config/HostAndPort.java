package dev.terrace.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An address.
 *
 * @param host name or address, IPv6 without brackets
 * @param port 1 to 65,535
 */
public record HostAndPort(String host, int port) {
    // Names with underscores are no host names to DNS, but container networks have them.
    private static final Pattern ADDRESS = Pattern.compile("(?:\\[([0-9A-Fa-f:.%]+)]|([\\p{L}\\p{N}._-]+)):(\\d{1,5})");

    /** Checks the port. */
    public HostAndPort {
        if (host.isBlank() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not a host and port: '" + host + "':" + port);
        }
    }

    /** Reads {@code host:port} or {@code [ipv6]:port}; null when the text is neither. */
    static @Nullable HostAndPort parse(String text) {
        Matcher address = ADDRESS.matcher(text);
        if (!address.matches()) {
            return null;
        }
        String host = address.group(1) == null ? address.group(2) : address.group(1);
        int port = Integer.parseInt(address.group(3));
        return port < 1 || port > 65_535 ? null : new HostAndPort(host, port);
    }

    /** {@code host:port}, IPv6 in brackets. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
