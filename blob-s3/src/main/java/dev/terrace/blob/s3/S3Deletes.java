package dev.terrace.blob.s3;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;

/** Removes objects, many in one request, or one by one where the store knows no other way. */
final class S3Deletes {
    private static final int MOST_PER_REQUEST = 1_000;

    private final S3Place place;
    private final S3Calls calls;
    private volatile boolean oneByOne;

    S3Deletes(S3Place place, S3Calls calls) {
        this.place = place;
        this.calls = calls;
    }

    void delete(Collection<String> names) throws BlobException {
        List<String> keys = names.stream().map(place::key).toList();
        calls.alive("");
        for (int from = 0; from < keys.size(); from += MOST_PER_REQUEST) {
            delete(keys.subList(from, Math.min(keys.size(), from + MOST_PER_REQUEST)));
        }
    }

    private void delete(List<String> keys) throws BlobException {
        if (keys.size() > 1 && !oneByOne) {
            try {
                together(keys);
                return;
            } catch (BlobException e) {
                int status = S3Failures.status(e);
                if (e.kind() != Kind.UNSUPPORTED && status != 400) {
                    throw e;
                }
                oneByOne = true;
            }
        }
        for (String key : keys) {
            one(key);
        }
    }

    private void one(String key) throws BlobException {
        try {
            calls.small(
                    place.name(key),
                    client -> client.deleteObject(
                            request -> request.bucket(place.bucket()).key(key)));
        } catch (BlobException e) {
            if (S3Failures.status(e) != 404 || S3Failures.isNoSuchBucket(e)) {
                throw e;
            }
        }
    }

    private void together(List<String> keys) throws BlobException {
        List<ObjectIdentifier> objects = new ArrayList<>();
        keys.forEach(key -> objects.add(ObjectIdentifier.builder().key(key).build()));
        DeleteObjectsResponse answer = calls.small(
                "",
                client -> client.deleteObjects(request -> request.bucket(place.bucket())
                        .delete(delete -> delete.objects(objects).quiet(true))));
        for (S3Error error : answer.errors()) {
            if (!"NoSuchKey".equals(error.code())) {
                boolean busy = "InternalError".equals(error.code()) || "SlowDown".equals(error.code());
                throw new BlobException(
                        busy ? Kind.UNAVAILABLE : Kind.DENIED,
                        "s3://" + place.bucket() + "/" + error.key() + " was not removed: " + error.code() + " ("
                                + answer.errors().size() + " of " + keys.size() + " failed)",
                        null);
            }
        }
    }
}
