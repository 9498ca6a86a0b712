package dev.terrace.blob.s3;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.Throttle;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** Reads objects. */
final class S3Reads {
    /** Under this name a write leaves the checksum of what it sent in one part, whatever the store makes of its own tags. */
    static final String MD5 = "terrace-md5";

    private static final int NOT_FOUND = 404;

    private final S3Place place;
    private final S3Calls calls;
    private final Throttle throttle;

    S3Reads(S3Place place, S3Calls calls, Throttle throttle) {
        this.place = place;
        this.calls = calls;
        this.throttle = throttle;
    }

    /** What is known of an object; null when there is none. */
    @Nullable
    HeadObjectResponse head(String name) throws BlobException {
        try {
            return calls.small(
                    name,
                    client -> client.headObject(
                            request -> request.bucket(place.bucket()).key(place.key(name))));
        } catch (BlobException e) {
            if (isAbsent(e)) {
                return null;
            }
            throw e;
        }
    }

    private static boolean isAbsent(BlobException e) {
        return S3Failures.status(e) == NOT_FOUND && !S3Failures.isNoSuchBucket(e);
    }

    /** The whole of a small object; a body that breaks off or is not what was sent is read again. */
    Optional<byte[]> small(String name, int mostBytes) throws BlobException {
        GetObjectRequest request = GetObjectRequest.builder()
                .bucket(place.bucket())
                .key(place.key(name))
                .overrideConfiguration(o -> o.apiCallTimeout(calls.deadlines().call(mostBytes))
                        .apiCallAttemptTimeout(calls.deadlines().attempt(mostBytes)))
                .build();
        try {
            byte[] bytes = calls.run(name, calls.deadlines().call(mostBytes), client -> {
                byte[] read = client.getObject(request, (answer, in) -> whole(name, answer, in, mostBytes));
                throttle.take(read.length);
                return read;
            });
            calls.received.inc(bytes.length);
            return Optional.of(bytes);
        } catch (BlobException e) {
            if (isAbsent(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private byte[] whole(String name, GetObjectResponse answer, AbortableInputStream in, int mostBytes)
            throws BlobException {
        Long length = answer.contentLength();
        if (length != null && length > mostBytes) {
            in.abort();
            throw new BlobException(
                    Kind.TOO_LARGE,
                    place.shown(name) + " has " + length + " bytes; at most " + mostBytes + " are read",
                    null);
        }
        byte[] bytes;
        try {
            bytes = in.readNBytes(
                    length == null ? (int) Math.min(mostBytes + 1L, Integer.MAX_VALUE) : length.intValue());
        } catch (IOException e) {
            throw RetryableException.create("the answer broke off", e);
        }
        if (bytes.length > mostBytes) {
            throw new BlobException(Kind.TOO_LARGE, place.shown(name) + " has more than " + mostBytes + " bytes", null);
        }
        String sent = answer.metadata().get(MD5);
        if (length != null && bytes.length != length
                || sent != null && !sent.equals(Md5.of(bytes).hex())) {
            throw RetryableException.create(
                    place.shown(name) + " is not what was written: " + bytes.length + " bytes came, checksums differ",
                    new BlobException(
                            Kind.CORRUPT,
                            place.shown(name) + " is not what was written: length or checksum differ",
                            null));
        }
        return bytes;
    }

    InputStream open(String name, long offset, long length) throws BlobException {
        if (length == 0) {
            HeadObjectResponse head = head(name);
            if (head == null) {
                throw absent(name, null);
            }
            if (offset > head.contentLength()) {
                throw shorter(name, offset, length, null);
            }
            return InputStream.nullInputStream();
        }
        return new S3Stream(name, offset, length, this, get(name, offset, length, null));
    }

    /** One answer with exactly these bytes; {@code tag}: of this version only. */
    ResponseInputStream<GetObjectResponse> get(String name, long offset, long length, @Nullable String tag)
            throws BlobException {
        ResponseInputStream<GetObjectResponse> stream;
        try {
            stream = calls.small(
                    name,
                    client -> client.getObject(
                            request -> request.bucket(place.bucket())
                                    .key(place.key(name))
                                    .ifMatch(tag)
                                    .range("bytes=" + offset + "-" + (offset + length - 1)),
                            ResponseTransformer.toInputStream()));
        } catch (BlobException e) {
            if (isAbsent(e)) {
                throw absent(name, e);
            }
            if (S3Failures.status(e) == 412) {
                throw new BlobException(Kind.CORRUPT, place.shown(name) + " was replaced while it was read", e);
            }
            throw S3Failures.status(e) == 416 ? shorter(name, offset, length, e) : e;
        }
        Long answered = stream.response().contentLength();
        if (answered == null || answered != length) {
            stream.abort();
            throw shorter(name, offset, length, null);
        }
        return stream;
    }

    /** Bytes have come; waits when they came too fast. */
    void came(int count) throws InterruptedException {
        calls.received.inc(count);
        throttle.take(count);
    }

    void alive(String name) throws BlobException {
        calls.alive(name);
    }

    private BlobException absent(String name, @Nullable Throwable cause) {
        return new BlobException(Kind.ABSENT, "there is no blob " + place.shown(name), cause);
    }

    private BlobException shorter(String name, long offset, long length, @Nullable Throwable cause) {
        return new BlobException(
                Kind.CORRUPT, place.shown(name) + " does not have " + length + " bytes from " + offset, cause);
    }
}
