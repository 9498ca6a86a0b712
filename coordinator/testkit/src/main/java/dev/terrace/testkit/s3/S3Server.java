package dev.terrace.testkit.s3;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;

/**
 * An S3 server on loopback, in this process, with its objects in memory: s3proxy. It creates on condition that an object is absent, in one step. Starting
 * takes a second or more, so share one. Thread-safe.
 */
public final class S3Server implements AutoCloseable {
    /** The login that it knows when it asks for one. */
    public static final String ACCESS_KEY = "terrace-test";
    /** The login's secret. */
    public static final String SECRET_KEY = "terrace-test-secret";

    private final S3Proxy server;

    private S3Server(S3Proxy server) {
        this.server = server;
    }

    /** One that takes every login: what stands before it may change requests, which spoils their signatures. */
    public static S3Server start() throws Exception {
        return start(S3Proxy.builder());
    }

    /** One that checks logins. */
    public static S3Server startWithLogin() throws Exception {
        return start(S3Proxy.builder().awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY, SECRET_KEY));
    }

    private static S3Server start(S3Proxy.Builder builder) throws Exception {
        Properties properties = new Properties();
        S3Proxy server = builder.blobStore(BlobStores.create("transient-nio2", properties))
                .endpoint(URI.create("http://127.0.0.1:0"))
                .ignoreUnknownHeaders(true)
                .build();
        server.start();
        return new S3Server(server);
    }

    /** Where it listens. */
    public int port() {
        return server.getPort();
    }

    /** Its address. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port());
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new IllegalStateException("s3proxy does not stop", e);
        }
    }
}
