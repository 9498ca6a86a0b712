package dev.terrace.blob.s3;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.blob.BlobStoreContract;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** The contract against LocalStack in a container, where there is Docker. */
class LocalStackContractIT extends BlobStoreContract {
    private static final DockerImageName IMAGE = DockerImageName.parse("localstack/localstack:4.9");
    private static final int PORT = 4566;
    private static @Nullable GenericContainer<?> container;
    private @Nullable String bucket;

    @BeforeAll
    static void start() {
        assumeTrue(
                DockerClientFactory.instance().isDockerAvailable(),
                "skipped: LocalStack runs in a container and there is no Docker here");
        GenericContainer<?> started = new GenericContainer<>(IMAGE)
                .withEnv("SERVICES", "s3")
                .withExposedPorts(PORT)
                .waitingFor(Wait.forHttp("/_localstack/health").forPort(PORT))
                .withStartupTimeout(Duration.ofMinutes(2));
        started.start();
        container = started;
    }

    @AfterAll
    static void stop() {
        if (container != null) {
            container.stop();
        }
    }

    private static URI endpoint() {
        GenericContainer<?> running = container;
        if (running == null) {
            throw new IllegalStateException("LocalStack does not run");
        }
        return URI.create("http://" + running.getHost() + ":" + running.getMappedPort(PORT));
    }

    @Override
    protected BlobStore open() throws Exception {
        if (bucket == null) {
            bucket = Buckets.create(endpoint());
        }
        return Buckets.open(Buckets.settings(URI.create("s3://" + bucket + "/p"), endpoint(), Duration.ofSeconds(60)));
    }

    @Override
    protected int largeBytes() {
        return (11 << 20) + 5;
    }

    @Override
    protected boolean leaveUnfinished() {
        try (S3Client client = Buckets.client(endpoint())) {
            String id = client.createMultipartUpload(
                            request -> request.bucket(bucket).key("p/half"))
                    .uploadId();
            client.uploadPart(
                    request -> request.bucket(bucket).key("p/half").uploadId(id).partNumber(1),
                    RequestBody.fromBytes(new byte[5 << 20]));
        }
        return true;
    }
}
