package dev.terrace.blob.s3;

import dev.terrace.spi.BlobName;
import java.net.URI;

/** Where names lie in a bucket. */
final class S3Place {
    /** Cannot be a blob's name, so it is in nobody's way. */
    private static final String PROBE = "!probe";

    private final String bucket;
    private final String prefix;

    S3Place(URI location) {
        bucket = location.getHost();
        String path = location.getPath() == null ? "" : location.getPath().replaceAll("^/+|/+$", "");
        prefix = path.isEmpty() ? "" : path + "/";
    }

    String bucket() {
        return bucket;
    }

    /** What the keys of all blobs begin with. */
    String prefix() {
        return prefix;
    }

    String key(String name) {
        return prefix + BlobName.require(name);
    }

    String probe() {
        return prefix + PROBE;
    }

    /** The name of what stands at this key, which need not be a blob's. */
    String name(String key) {
        return key.substring(prefix.length());
    }

    URI location() {
        return URI.create("s3://" + bucket + "/" + prefix);
    }

    /** For messages. */
    String shown(String name) {
        return "s3://" + bucket + "/" + prefix + name;
    }
}
