package dev.terrace.blob.s3;

import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore.Written;
import dev.terrace.spi.Throttle;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/**
 * Writes objects: in one request, or in parts by {@link S3Upload}. What is sent is in memory first, so that a source that fails stores nothing and a retry sends
 * the same; together at most the settings' parallel parts, but for a single larger blob that must go in one.
 *
 * <p>Each write carries a name of its own in the object's metadata. By it a writer whose answer was lost, or whose repeated request was refused because the first
 * one had succeeded, finds out whether what is there is its own.
 */
final class S3Writes {
    private static final String WRITE = "terrace-write";
    private static final int TRIES = 3;
    private static final int FIRST_DELAY_MILLIS = 50;

    private final S3Place place;
    private final S3Calls calls;
    private final S3Reads reads;
    private final Throttle throttle;
    private final ObjectStorageSettings settings;
    private final long partBytes;
    private final int memoryKib;
    private final Semaphore memory;

    S3Writes(S3Place place, S3Calls calls, S3Reads reads, Throttle throttle, ObjectStorageSettings settings) {
        this.place = place;
        this.calls = calls;
        this.reads = reads;
        this.throttle = throttle;
        this.settings = settings;
        partBytes = (long) settings.partMib() << 20;
        memoryKib = settings.parallel() * settings.partMib() * 1024;
        memory = new Semaphore(memoryKib, true);
    }

    Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        calls.alive(name);
        if (!onlyIfAbsent && source.length() > partBytes) {
            new S3Upload(name, source, place, calls, this, settings).run();
            return Written.STORED;
        }
        String write = UUID.randomUUID().toString();
        BlobException last = notThere(name);
        for (int i = 0; i < TRIES; i++) {
            try {
                if (put(name, source, onlyIfAbsent, write) || isThere(name, write, source.length())) {
                    return Written.STORED;
                }
                last = notThere(name);
            } catch (BlobException e) {
                int status = S3Failures.status(e);
                if (onlyIfAbsent && status == 412) {
                    return isThere(name, write, source.length()) ? Written.STORED : Written.EXISTED;
                }
                // Another creates or removes it at this moment.
                if (status != 409) {
                    throw e;
                }
                last = e;
            }
            pause(name, i);
        }
        throw last;
    }

    /** For stores that say yes and mean no. */
    BlobException notThere(String name) {
        return new BlobException(
                Kind.UNAVAILABLE, place.shown(name) + ": the store said that it is stored, and it is not", null);
    }

    private void pause(String name, int tries) throws BlobException {
        try {
            TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong((long) FIRST_DELAY_MILLIS << tries));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlobException(Kind.INTERRUPTED, "interrupted at " + place.shown(name), e);
        }
    }

    /** False when the answer does not show that it was stored. */
    private boolean put(String name, BlobSource source, boolean onlyIfAbsent, String write) throws BlobException {
        long length = source.length();
        return calls.run(
                name,
                calls.deadlines().turn(length),
                client -> sending(name, source, 0, (int) length, bytes -> {
                    Md5 md5 = Md5.of(bytes);
                    PutObjectRequest.Builder request = encrypted(PutObjectRequest.builder(), settings)
                            .bucket(place.bucket())
                            .key(place.key(name))
                            .contentMD5(md5.base64())
                            .metadata(Map.of(WRITE, write, S3Reads.MD5, md5.hex()))
                            .storageClass(settings.storageClass())
                            .overrideConfiguration(o -> o.apiCallTimeout(
                                            calls.deadlines().call(length))
                                    .apiCallAttemptTimeout(calls.deadlines().attempt(length)));
                    if (onlyIfAbsent) {
                        request.ifNoneMatch("*");
                    }
                    PutObjectResponse answer = client.putObject(request.build(), RequestBody.fromBytes(bytes));
                    return md5.isTag(answer.eTag());
                }));
    }

    /** What is done with the bytes of a part while they are in memory. */
    interface Sending<T> {
        T send(byte[] bytes) throws BlobException;
    }

    /** Reads a part and does something with it, when there is memory and it is its turn by the limit. */
    <T> T sending(String name, BlobSource source, long offset, int length, Sending<T> sending)
            throws BlobException, InterruptedException {
        int kib = Math.min(memoryKib, length / 1024 + 1);
        memory.acquire(kib);
        try {
            byte[] bytes = S3Part.read(place.shown(name), source, offset, length);
            throttle.take(length);
            T result = sending.send(bytes);
            calls.sent.inc(length);
            return result;
        } finally {
            memory.release(kib);
        }
    }

    /** Whether the object is the one that this write made. */
    boolean isThere(String name, String write, long length) throws BlobException {
        HeadObjectResponse head = reads.head(name);
        return head != null
                && head.contentLength() == length
                && write.equals(head.metadata().get(WRITE));
    }

    static Map<String, String> named(String write) {
        return Map.of(WRITE, write);
    }

    static PutObjectRequest.Builder encrypted(PutObjectRequest.Builder request, ObjectStorageSettings settings) {
        ServerSideEncryption encryption = encryption(settings);
        if (encryption != null) {
            request.serverSideEncryption(encryption).ssekmsKeyId(settings.kmsKey());
        }
        return request;
    }

    static @Nullable ServerSideEncryption encryption(ObjectStorageSettings settings) {
        return switch (settings.encryption()) {
            case NONE -> null;
            case AES256 -> ServerSideEncryption.AES256;
            case KMS -> ServerSideEncryption.AWS_KMS;
        };
    }
}
