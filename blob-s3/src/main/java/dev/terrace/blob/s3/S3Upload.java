package dev.terrace.blob.s3;

import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/**
 * One upload in parts, several at a time. The object appears when the last step says so, and not before; what dies earlier is waste that
 * {@link S3BlobStore#discardUnfinished} finds. After the last step the object is looked at: some stores answer that all is well and say otherwise in the body,
 * or lose the answer.
 */
final class S3Upload {
    private static final Logger LOG = LoggerFactory.getLogger(S3Upload.class);
    private static final int MOST_PARTS = 10_000;
    private static final int TRIES = 3;
    private static final Duration PATIENCE_WHEN_ABORTING = Duration.ofSeconds(2);

    private final String name;
    private final BlobSource source;
    private final S3Place place;
    private final S3Calls calls;
    private final S3Writes writes;
    private final ObjectStorageSettings settings;
    private final String write = UUID.randomUUID().toString();
    private final int partBytes;
    private final Deque<S3Calls.Started<CompletedPart>> underWay = new ArrayDeque<>();
    private final List<CompletedPart> done = new ArrayList<>();

    S3Upload(
            String name,
            BlobSource source,
            S3Place place,
            S3Calls calls,
            S3Writes writes,
            ObjectStorageSettings settings) {
        this.name = name;
        this.source = source;
        this.place = place;
        this.calls = calls;
        this.writes = writes;
        this.settings = settings;
        partBytes = settings.partMib() << 20;
    }

    void run() throws BlobException {
        long parts = (source.length() + partBytes - 1) / partBytes;
        if (parts > MOST_PARTS) {
            throw new BlobException(
                    Kind.TOO_LARGE,
                    place.shown(name) + " would have " + parts + " parts of " + settings.partMib() + " MiB; "
                            + MOST_PARTS + " are allowed: raise object_storage.part_mb",
                    null);
        }
        String id = calls.small(
                        name,
                        client -> client.createMultipartUpload(request -> {
                            request.bucket(place.bucket())
                                    .key(place.key(name))
                                    .metadata(S3Writes.named(write))
                                    .storageClass(settings.storageClass());
                            if (S3Writes.encryption(settings) != null) {
                                request.serverSideEncryption(S3Writes.encryption(settings))
                                        .ssekmsKeyId(settings.kmsKey());
                            }
                        }))
                .uploadId();
        boolean complete = false;
        try {
            for (int part = 1; part <= parts; part++) {
                if (underWay.size() == settings.parallel()) {
                    takeOldest();
                }
                int number = part;
                underWay.add(calls.start(name, client -> part(client, id, number)));
            }
            while (!underWay.isEmpty()) {
                takeOldest();
            }
            complete(id);
            complete = true;
        } finally {
            if (!complete) {
                underWay.forEach(S3Calls.Started::abandon);
                abort(id);
            }
        }
    }

    private void takeOldest() throws BlobException {
        done.add(calls.await(name, calls.deadlines().turn((long) partBytes * settings.parallel()), underWay.remove()));
    }

    private CompletedPart part(S3Client client, String id, int number) throws BlobException, InterruptedException {
        long offset = (long) (number - 1) * partBytes;
        int length = (int) Math.min(partBytes, source.length() - offset);
        return writes.sending(name, source, offset, length, bytes -> {
            Md5 md5 = Md5.of(bytes);
            for (int i = 0; i < TRIES; i++) {
                UploadPartResponse answer = client.uploadPart(
                        request -> request.bucket(place.bucket())
                                .key(place.key(name))
                                .uploadId(id)
                                .partNumber(number)
                                .contentMD5(md5.base64())
                                .overrideConfiguration(o -> o.apiCallTimeout(
                                                calls.deadlines().call(length))
                                        .apiCallAttemptTimeout(calls.deadlines().attempt(length))),
                        RequestBody.fromBytes(bytes));
                // Without a tag the part cannot be named in the end; whoever said so did not store it.
                if (answer.eTag() != null && !answer.eTag().isBlank()) {
                    return CompletedPart.builder()
                            .partNumber(number)
                            .eTag(answer.eTag())
                            .build();
                }
            }
            throw new BlobException(
                    Kind.UNAVAILABLE,
                    place.shown(name) + ", part " + number + ": the store said that it is stored, and gave no tag",
                    null);
        });
    }

    private void complete(String id) throws BlobException {
        BlobException last = writes.notThere(name);
        for (int i = 0; i < TRIES; i++) {
            try {
                calls.small(
                        name,
                        client -> client.completeMultipartUpload(request -> request.bucket(place.bucket())
                                .key(place.key(name))
                                .uploadId(id)
                                .multipartUpload(all -> all.parts(done))));
            } catch (BlobException e) {
                if (e.kind() == Kind.INTERRUPTED || e.kind() == Kind.CLOSED) {
                    throw e;
                }
                last = e;
            }
            // Also after a failure: the answer may have been lost, or a repeated request was one too many.
            if (writes.isThere(name, write, source.length())) {
                return;
            }
        }
        throw last;
    }

    /** As well as it goes: what stays is found by age. */
    private void abort(String id) {
        boolean interrupted = Thread.interrupted();
        try {
            calls.run(
                    name,
                    PATIENCE_WHEN_ABORTING,
                    client -> client.abortMultipartUpload(request ->
                            request.bucket(place.bucket()).key(place.key(name)).uploadId(id)));
        } catch (BlobException e) {
            LOG.debug("an unfinished upload of {} stays until it is discarded by age", place.shown(name), e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
