package dev.terrace.config;

/**
 * An address.
 *
 * @param host name or address, IPv6 without brackets
 * @param port 1 to 65,535
 */
public record HostAndPort(String host, int port) {
    /** Checks the port. */
    public HostAndPort {
        if (host.isBlank() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not a host and port: '" + host + "':" + port);
        }
    }

    /** {@code host:port}, IPv6 in brackets. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
