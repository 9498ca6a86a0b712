package dev.terrace.blob.s3;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.ObjectStorageSettings.Credentials;
import dev.terrace.config.ObjectStorageSettings.Encryption;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.s3.S3Server;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** Buckets of a server, and stores in them. */
final class Buckets {
    private Buckets() {}

    /** The SDK's client, for what a store does not do. */
    static S3Client client(URI endpoint) {
        return S3Client.builder()
                .endpointOverride(endpoint)
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .httpClientBuilder(Apache5HttpClient.builder())
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(S3Server.ACCESS_KEY, S3Server.SECRET_KEY)))
                .build();
    }

    /** A new bucket; its name. */
    static String create(URI endpoint) {
        String bucket = "b-" + UUID.randomUUID();
        try (S3Client client = client(endpoint)) {
            client.createBucket(request -> request.bucket(bucket));
        }
        return bucket;
    }

    static ObjectStorageSettings settings(URI url, URI endpoint, Duration timeout) {
        return settings(url, endpoint, timeout, S3Server.SECRET_KEY, 0);
    }

    static ObjectStorageSettings settings(URI url, URI endpoint, Duration timeout, String secret, int mostMib) {
        return new ObjectStorageSettings(
                url,
                endpoint,
                null,
                true,
                Credentials.STATIC,
                new Secret(S3Server.ACCESS_KEY),
                new Secret(secret),
                null,
                null,
                Encryption.NONE,
                null,
                null,
                List.of(),
                timeout,
                3,
                5,
                mostMib);
    }

    static BlobStore open(ObjectStorageSettings settings) throws Exception {
        return new S3BlobStoreProvider().open(settings.url(), context(settings));
    }

    static TestContext context(ObjectStorageSettings settings) {
        return new TestContext(
                ManualClock.startingNow(), BackupStorageSettings.defaults().withObjectStorage(settings));
    }
}
