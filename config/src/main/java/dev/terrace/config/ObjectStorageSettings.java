package dev.terrace.config;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where backups go: a folder or a bucket. Memory of uploads is at most {@code parallel} times {@code partMib}.
 *
 * @param url {@code file:/folder} or {@code s3://bucket/prefix}
 * @param endpoint where an S3 server other than Amazon's is, or null
 * @param region the bucket's, or null for what the surroundings say, {@code us-east-1} where there is an endpoint
 * @param pathStyle whether the bucket stands in the path of requests and not in the name of the host
 * @param credentials where the login comes from
 * @param accessKey the name of the login; for static ones only
 * @param secretKey its secret; for static ones only
 * @param profile the profile in the AWS configuration files; for {@link Credentials#PROFILE} only, null for its default one
 * @param storageClass what new objects are stored as, such as {@code STANDARD_IA}, or null for the bucket's choice
 * @param encryption how the store encrypts what it keeps, on top of what is sent
 * @param kmsKey which key, for {@link Encryption#KMS}; null for the account's own
 * @param anchor another place that remembers how new the newest backup is, or null
 * @param sealedTo public keys to which backups are sealed, as {@code terrace keys recipient} prints them; empty for none
 * @param timeout the deadline of a small call, retries included; uploads and downloads have a second more for each 256 KiB
 * @param parallel most parts under way at once
 * @param partMib longer blobs go in parts of this size
 * @param maxMibPerSecond most that is sent and received; 0 for no limit
 */
public record ObjectStorageSettings(
        URI url,
        @Nullable URI endpoint,
        @Nullable String region,
        boolean pathStyle,
        Credentials credentials,
        @Nullable Secret accessKey,
        @Nullable Secret secretKey,
        @Nullable String profile,
        @Nullable String storageClass,
        Encryption encryption,
        @Nullable String kmsKey,
        @Nullable URI anchor,
        List<String> sealedTo,
        Duration timeout,
        int parallel,
        int partMib,
        int maxMibPerSecond) {
    /** Copies. */
    public ObjectStorageSettings {
        sealedTo = List.copyOf(sealedTo);
    }

    /** Where Google Cloud Storage speaks S3. */
    static final URI GOOGLE = URI.create("https://storage.googleapis.com");

    /** Where the login comes from. */
    public enum Credentials {
        /** Environment, profile, container or machine, the first that has one. */
        DEFAULT,
        /** {@code access_key} and {@code secret_key}. */
        STATIC,
        /** A profile of the AWS configuration files. */
        PROFILE,
        /** A token file, as Kubernetes gives to pods. */
        WEB_IDENTITY
    }

    /** How the store encrypts. */
    public enum Encryption {
        /** As the bucket says. */
        NONE,
        /** With keys of the store's. */
        AES256,
        /** With a key of a key service. */
        KMS
    }

    /** Plain access to {@code url}: default login, 30 s, 8 parts of 8 MiB at once, no limit. */
    public static ObjectStorageSettings of(URI url) {
        return new ObjectStorageSettings(
                url,
                null,
                null,
                false,
                Credentials.DEFAULT,
                null,
                null,
                null,
                null,
                Encryption.NONE,
                null,
                null,
                List.of(),
                Duration.ofSeconds(30),
                8,
                8,
                0);
    }

    /** Whether this is a bucket. */
    public boolean isBucket() {
        return scheme(url).equals("s3");
    }

    static String scheme(URI url) {
        return url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    }
}
