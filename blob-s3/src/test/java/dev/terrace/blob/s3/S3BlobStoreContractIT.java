package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.blob.BlobStoreContract;
import dev.terrace.testkit.s3.S3Server;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** The contract against s3proxy, which checks logins here. */
class S3BlobStoreContractIT extends BlobStoreContract {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static S3Server server;
    private @Nullable String bucket;

    @BeforeAll
    static void start() throws Exception {
        server = S3Server.startWithLogin();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private URI url() {
        if (bucket == null) {
            bucket = Buckets.create(server.endpoint());
        }
        return URI.create("s3://" + bucket + "/some/prefix");
    }

    @Override
    protected BlobStore open() throws Exception {
        return Buckets.open(Buckets.settings(url(), server.endpoint(), TIMEOUT));
    }

    @Override
    protected int largeBytes() {
        return (11 << 20) + 5;
    }

    @Override
    protected int races() {
        return 5;
    }

    @Override
    protected boolean leaveUnfinished() {
        try (S3Client client = Buckets.client(server.endpoint())) {
            String key = "some/prefix/half";
            String id = client.createMultipartUpload(
                            request -> request.bucket(bucket).key(key))
                    .uploadId();
            client.uploadPart(
                    request -> request.bucket(bucket).key(key).uploadId(id).partNumber(1),
                    RequestBody.fromBytes(new byte[5 << 20]));
        }
        return true;
    }

    @Test
    void isFoundToCreateOnlyWhatIsAbsentAndLeavesNoBlobBehind() throws Exception {
        assertThat(store().capabilities().createsIfAbsent()).isTrue();
        assertThat(another().capabilities().createsIfAbsent()).isTrue();
        assertThat(store().list("", null, 10).blobs()).isEmpty();
        assertThat(store().location()).hasToString("s3://" + bucket + "/some/prefix/");
    }

    @Test
    void anotherPrefixIsAnotherPlace() throws Exception {
        store().write("one", new byte[1], false);
        URI beside = URI.create("s3://" + bucket + "/some/pre");
        try (BlobStore other = Buckets.open(Buckets.settings(beside, server.endpoint(), TIMEOUT));
                BlobStore whole =
                        Buckets.open(Buckets.settings(URI.create("s3://" + bucket), server.endpoint(), TIMEOUT))) {
            assertThat(other.stat("one")).isEmpty();
            assertThat(other.list("", null, 10).blobs()).isEmpty();
            assertThat(whole.stat("some/prefix/one")).isPresent();
        }
    }

    @Test
    void whatIsWrongWithTheSetupIsSaidWithoutSecrets() {
        ObjectStorageSettings wrong = Buckets.settings(url(), server.endpoint(), TIMEOUT, "canary-secret", 0);
        assertThatThrownBy(() -> Buckets.open(wrong))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("SignatureDoesNotMatch")
                .hasMessageNotContaining("canary");
        assertThatThrownBy(() -> Buckets.open(
                        Buckets.settings(URI.create("s3://no-such-bucket-here/x"), server.endpoint(), TIMEOUT)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("there is no such bucket");
        assertThatThrownBy(() -> Buckets.open(ObjectStorageSettings.of(URI.create("s3:///x"))))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("s3://bucket/prefix");
    }

    @Test
    void isHeldToItsLimit() throws Exception {
        ObjectStorageSettings slow = Buckets.settings(url(), server.endpoint(), TIMEOUT, S3Server.SECRET_KEY, 1);
        try (BlobStore limited = Buckets.open(slow)) {
            long before = System.nanoTime();
            for (int i = 0; i < 3; i++) {
                limited.write("limited", new byte[1 << 19], false);
            }
            // The first goes at once, half a second is between it and the second, and again.
            assertThat(System.nanoTime() - before)
                    .isGreaterThan(Duration.ofMillis(990).toNanos());
        }
    }
}
