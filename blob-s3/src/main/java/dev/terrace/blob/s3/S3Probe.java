package dev.terrace.blob.s3;

import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import software.amazon.awssdk.core.sync.RequestBody;

/**
 * Tries a bucket when it is opened. Reads, then creates one small object on condition that it is absent, and again when that succeeded: a store that
 * takes the second one ignores conditions. The object stays, under a name that no blob has, so that later openings need one request and nobody needs the
 * right to delete.
 */
final class S3Probe {
    private static final int TRIES = 5;

    private final S3Place place;
    private final S3Calls calls;
    private final ObjectStorageSettings settings;

    S3Probe(S3Place place, S3Calls calls, ObjectStorageSettings settings) {
        this.place = place;
        this.calls = calls;
        this.settings = settings;
    }

    boolean createsIfAbsent() throws BlobException {
        calls.small(
                "",
                client -> client.listObjectsV2(request ->
                        request.bucket(place.bucket()).prefix(place.prefix()).maxKeys(1)));
        int stored = 0;
        for (int i = 0; i < TRIES && stored < 2; i++) {
            try {
                calls.small(
                        "",
                        client -> client.putObject(
                                request -> S3Writes.encrypted(request, settings)
                                        .bucket(place.bucket())
                                        .key(place.probe())
                                        .ifNoneMatch("*")
                                        .contentMD5(Md5.of(new byte[0]).base64()),
                                RequestBody.empty()));
                stored++;
            } catch (BlobException e) {
                int status = S3Failures.status(e);
                if (status == 412) {
                    return true;
                }
                // 409: another opens it at this moment. 403: a reader may not write, and needs no conditions.
                if (status != 409) {
                    if (e.kind() == Kind.UNSUPPORTED || status == 403) {
                        return false;
                    }
                    throw e;
                }
            }
        }
        return false;
    }
}
