package dev.terrace.blob.s3;

import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobCapabilities;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobName;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Throttle;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListMultipartUploadsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Blobs as objects of a bucket. Writing is in {@link S3Writes}, reading in {@link S3Reads}, removing in {@link S3Deletes}. */
final class S3BlobStore implements BlobStore {
    private static final int MOST_PER_PAGE = 1_000;

    private final S3Place place;
    private final S3Calls calls;
    private final BlobCapabilities capabilities;
    private final S3Reads reads;
    private final S3Writes writes;
    private final S3Deletes deletes;

    S3BlobStore(S3Place place, S3Calls calls, ObjectStorageSettings settings, boolean createsIfAbsent) {
        this.place = place;
        this.calls = calls;
        capabilities = new BlobCapabilities(createsIfAbsent);
        Throttle throttle = new Throttle((long) settings.maxMibPerSecond() << 20, System::nanoTime);
        reads = new S3Reads(place, calls, throttle);
        writes = new S3Writes(place, calls, reads, throttle, settings);
        deletes = new S3Deletes(place, calls);
    }

    @Override
    public URI location() {
        return place.location();
    }

    @Override
    public BlobCapabilities capabilities() {
        return capabilities;
    }

    @Override
    public Optional<Stat> stat(String name) throws BlobException {
        place.key(name);
        HeadObjectResponse head = reads.head(name);
        return head == null
                ? Optional.empty()
                : Optional.of(new Stat(
                        name,
                        head.contentLength(),
                        head.lastModified() == null ? 0 : head.lastModified().toEpochMilli()));
    }

    @Override
    public Optional<byte[]> read(String name, int mostBytes) throws BlobException {
        place.key(name);
        return reads.small(name, mostBytes);
    }

    @Override
    public InputStream open(String name, long offset, long length) throws BlobException {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("offset " + offset + ", length " + length);
        }
        place.key(name);
        return reads.open(name, offset, length);
    }

    @Override
    public Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        place.key(name);
        if (onlyIfAbsent && !capabilities.createsIfAbsent()) {
            throw new BlobException(
                    Kind.UNSUPPORTED,
                    place.location()
                            + " was found not to create only what is absent: it serves one writer only, who asks for no such thing",
                    null);
        }
        if (onlyIfAbsent && source.length() > MOST_BYTES_IF_ABSENT) {
            throw new BlobException(
                    Kind.TOO_LARGE,
                    place.shown(name) + " has " + source.length() + " bytes; created only if absent it may have "
                            + MOST_BYTES_IF_ABSENT,
                    null);
        }
        return writes.write(name, source, onlyIfAbsent);
    }

    @Override
    public Page list(String prefix, @Nullable String after, int most) throws BlobException {
        BlobName.requirePrefix(prefix);
        if (most < 1) {
            throw new IllegalArgumentException("a page of " + most);
        }
        ListObjectsV2Response answer = calls.small(
                prefix,
                client -> client.listObjectsV2(request -> {
                    request.bucket(place.bucket())
                            .prefix(place.prefix() + prefix)
                            .maxKeys(Math.min(most, MOST_PER_PAGE));
                    if (after != null) {
                        request.startAfter(place.prefix() + after);
                    }
                }));
        List<Stat> found = new ArrayList<>();
        for (S3Object object : answer.contents()) {
            String name = place.name(object.key());
            if (BlobName.isName(name)) {
                found.add(new Stat(
                        name,
                        object.size(),
                        object.lastModified() == null
                                ? 0
                                : object.lastModified().toEpochMilli()));
            }
        }
        List<S3Object> all = answer.contents();
        boolean more = Boolean.TRUE.equals(answer.isTruncated()) && !all.isEmpty();
        return new Page(
                List.copyOf(found), more ? place.name(all.get(all.size() - 1).key()) : null);
    }

    @Override
    public void delete(Collection<String> names) throws BlobException {
        deletes.delete(names);
    }

    @Override
    public int discardUnfinished(long olderThanMillis) throws BlobException {
        int discarded = 0;
        ListMultipartUploadsResponse page = null;
        do {
            String key = page == null ? null : page.nextKeyMarker();
            String id = page == null ? null : page.nextUploadIdMarker();
            page = calls.small(
                    "",
                    client -> client.listMultipartUploads(request -> request.bucket(place.bucket())
                            .prefix(place.prefix())
                            .keyMarker(key)
                            .uploadIdMarker(id)));
            for (MultipartUpload upload : page.uploads()) {
                if (upload.initiated() != null && upload.initiated().toEpochMilli() < olderThanMillis) {
                    calls.small(
                            place.name(upload.key()),
                            client -> client.abortMultipartUpload(request -> request.bucket(place.bucket())
                                    .key(upload.key())
                                    .uploadId(upload.uploadId())));
                    discarded++;
                }
            }
        } while (Boolean.TRUE.equals(page.isTruncated()) && page.nextKeyMarker() != null);
        return discarded;
    }

    @Override
    public void close() {
        calls.close();
    }
}
