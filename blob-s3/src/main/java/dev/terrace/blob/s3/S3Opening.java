package dev.terrace.blob.s3;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Secret;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.LegacyMd5Plugin;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * Opens a bucket: makes the client and tries what it can do.
 *
 * <p>Integrity is by {@code Content-MD5}, which every S3 server knows, and not by the newer checksums, which some refuse: with them the body is sent in
 * chunks with a trailer. Retries are the SDK's standard ones: at most {@link #ATTEMPTS}, exponential delays with full jitter, and a budget of tokens that
 * failures spend and successes earn, so that a broken server is not stormed.
 */
final class S3Opening {
    static final int ATTEMPTS = 4;

    /** Connections beyond those of parts: small calls, and streams that callers hold. */
    private static final int SPARE_CONNECTIONS = 64;

    private static final Duration LONGEST_CONNECT = Duration.ofSeconds(5);

    private S3Opening() {}

    static S3BlobStore open(URI location, ObjectStorageSettings settings, MetricRegistry metrics) throws BlobException {
        Deadlines deadlines = new Deadlines(settings.timeout(), (long) settings.maxMibPerSecond() << 20);
        S3Client client;
        try {
            client = client(settings, deadlines);
        } catch (SdkClientException | IllegalArgumentException e) {
            throw new SetupException(
                    location + " cannot be opened: " + S3Failures.reason(e),
                    "see backup_storage.object_storage: endpoint, region and credentials",
                    e);
        }
        S3Place place = new S3Place(location);
        S3Calls calls = new S3Calls(place, client, deadlines, metrics);
        try {
            boolean createsIfAbsent = new S3Probe(place, calls, settings).createsIfAbsent();
            return new S3BlobStore(place, calls, settings, createsIfAbsent);
        } catch (BlobException e) {
            calls.close();
            if (e.kind() == Kind.DENIED) {
                throw new SetupException(
                        Objects.requireNonNullElse(e.getMessage(), location + " cannot be opened"),
                        "see backup_storage.object_storage: the bucket, its region, the login and what it may do",
                        e);
            }
            throw e;
        } catch (RuntimeException | Error e) {
            calls.close();
            throw e;
        }
    }

    private static S3Client client(ObjectStorageSettings settings, Deadlines deadlines) {
        Duration attempt = deadlines.attempt(0);
        S3ClientBuilder builder = S3Client.builder()
                .httpClientBuilder(Apache5HttpClient.builder()
                        .maxConnections(settings.parallel() + SPARE_CONNECTIONS)
                        .connectionTimeout(attempt.compareTo(LONGEST_CONNECT) < 0 ? attempt : LONGEST_CONNECT)
                        .connectionAcquisitionTimeout(deadlines.call(0))
                        .socketTimeout(attempt))
                .credentialsProvider(credentials(settings))
                .forcePathStyle(settings.pathStyle())
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .addPlugin(LegacyMd5Plugin.create())
                .serviceConfiguration(
                        S3Configuration.builder().chunkedEncodingEnabled(false).build())
                .overrideConfiguration(o -> o.apiCallTimeout(deadlines.call(0))
                        .apiCallAttemptTimeout(attempt)
                        .retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                .maxAttempts(ATTEMPTS)
                                .backoffStrategy(delays(50, attempt))
                                .throttlingBackoffStrategy(delays(500, attempt))
                                .build()));
        if (settings.endpoint() != null) {
            builder.endpointOverride(settings.endpoint());
        }
        if (settings.region() != null) {
            builder.region(Region.of(settings.region()));
        } else if (settings.endpoint() != null) {
            builder.region(Region.US_EAST_1);
        }
        return builder.build();
    }

    private static BackoffStrategy delays(int firstMillis, Duration most) {
        return BackoffStrategy.exponentialDelay(Duration.ofMillis(firstMillis), most);
    }

    private static AwsCredentialsProvider credentials(ObjectStorageSettings settings) {
        return switch (settings.credentials()) {
            case DEFAULT -> DefaultCredentialsProvider.builder().build();
            case PROFILE -> {
                ProfileCredentialsProvider.Builder profile = ProfileCredentialsProvider.builder();
                yield (settings.profile() == null ? profile : profile.profileName(settings.profile())).build();
            }
            case WEB_IDENTITY -> WebIdentityTokenFileCredentialsProvider.create();
            case STATIC ->
                StaticCredentialsProvider.create(AwsBasicCredentials.create(
                        needed("access_key", settings.accessKey()), needed("secret_key", settings.secretKey())));
        };
    }

    private static String needed(String key, @Nullable Secret secret) {
        if (secret == null) {
            throw new SetupException("credentials static need " + key, "set backup_storage.object_storage." + key);
        }
        return secret.reveal();
    }
}
