package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.ObjectStorageSettings.Credentials;
import dev.terrace.config.ObjectStorageSettings.Encryption;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Stat;
import dev.terrace.testkit.s3.S3Server;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** Logins, encryption and storage classes reach the server. */
class S3SettingsIT {
    private static final String FILE = "aws.sharedCredentialsFile";
    private static S3Server server;
    private static String bucket;

    @TempDir
    Path temp;

    @BeforeAll
    static void start() throws Exception {
        server = S3Server.startWithLogin();
        bucket = Buckets.create(server.endpoint());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void forgetFile() {
        System.clearProperty(FILE);
    }

    private static ObjectStorageSettings settings(
            Credentials credentials, @Nullable String profile, Encryption encryption, @Nullable String storageClass) {
        boolean keys = credentials == Credentials.STATIC;
        return new ObjectStorageSettings(
                URI.create("s3://" + bucket + "/" + credentials),
                server.endpoint(),
                null,
                true,
                credentials,
                keys ? new Secret(S3Server.ACCESS_KEY) : null,
                keys ? new Secret(S3Server.SECRET_KEY) : null,
                profile,
                storageClass,
                encryption,
                encryption == Encryption.KMS ? "some-key" : null,
                null,
                List.of(),
                Duration.ofSeconds(60),
                2,
                5,
                0);
    }

    @ParameterizedTest
    @ValueSource(ints = {10, (5 << 20) + 10})
    void encryptionAndStorageClassAreAskedFor(int length) throws Exception {
        try (BlobStore store = Buckets.open(settings(Credentials.STATIC, null, Encryption.KMS, "STANDARD_IA"));
                S3Client client = Buckets.client(server.endpoint())) {
            store.write("one", BlobSource.of(new byte[length]), false);
            HeadObjectResponse head =
                    client.headObject(request -> request.bucket(bucket).key("STATIC/one"));
            assertThat(head.serverSideEncryptionAsString()).isEqualTo("aws:kms");
            if (length == 10) { // s3proxy forgets the class of what comes in parts.
                assertThat(head.storageClassAsString()).isEqualTo("STANDARD_IA");
            }
            assertThat(store.stat("one").map(Stat::bytes)).hasValue((long) length);
        }
    }

    @Test
    void aProfileIsALogin() throws Exception {
        Path file = temp.resolve("credentials");
        Files.writeString(
                file,
                "[backups]\naws_access_key_id = " + S3Server.ACCESS_KEY + "\naws_secret_access_key = "
                        + S3Server.SECRET_KEY + "\n");
        System.setProperty(FILE, file.toString());
        try (BlobStore store = Buckets.open(settings(Credentials.PROFILE, "backups", Encryption.NONE, null))) {
            store.write("one", new byte[1], true);
            assertThat(store.stat("one")).isPresent();
        }
        assertThatThrownBy(() -> Buckets.open(settings(Credentials.PROFILE, "missing", Encryption.NONE, null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("missing");
    }

    @Test
    void aMissingTokenFileIsSaid() {
        assertThatThrownBy(() -> Buckets.open(settings(Credentials.WEB_IDENTITY, null, Encryption.NONE, null)))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("AWS_WEB_IDENTITY_TOKEN_FILE");
    }
}
