package dev.terrace.config;

import dev.terrace.config.BackupStorageSettings.Backend;
import dev.terrace.config.ObjectStorageSettings.Credentials;
import dev.terrace.config.ObjectStorageSettings.Encryption;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the settings of object storage demand of each other and of L3's; see {@link Contradictions}. */
final class ObjectStorageRules {
    private static final String L3 = SettingsLoader.ROOT + ".backup_storage";
    private static final String HERE = L3 + ".object_storage";
    private static final List<String> OF_BUCKETS = List.of(
            "endpoint",
            "region",
            "path_style",
            "credentials",
            "access_key",
            "secret_key",
            "profile",
            "storage_class",
            "encryption",
            "kms_key",
            "part_mb");

    private final Reading reading;
    private final BackupStorageSettings l3;

    private ObjectStorageRules(Reading reading, BackupStorageSettings l3) {
        this.reading = reading;
        this.l3 = l3;
    }

    static void check(Reading reading, BackupStorageSettings l3) {
        ObjectStorageRules rules = new ObjectStorageRules(reading, l3);
        ObjectStorageSettings storage = l3.objectStorage();
        if (!reading.sound(HERE, HERE + ".url", L3 + ".backend")) {
            return;
        }
        if (storage == null) {
            rules.expected();
            rules.restorable();
            return;
        }
        rules.place(storage);
        rules.login(storage);
        rules.keys(storage);
        rules.folders(storage);
    }

    private void expected() {
        if (l3.backend() != Backend.FILESYSTEM) {
            reading.problem(
                    L3 + ".backend",
                    name(l3.backend()),
                    "needs object_storage.url, where backups go: s3://bucket/prefix; or set backend: filesystem");
        }
    }

    private void restorable() {
        String path = L3 + ".restore.on_start";
        if (l3.restoresWhenEmpty() && reading.sound(path)) {
            reading.problem(
                    path, "if_empty", "has nothing to restore from: set object_storage.url, or on_start to never");
        }
    }

    private void place(ObjectStorageSettings storage) {
        if (storage.isBucket() && l3.backend() == Backend.FILESYSTEM) {
            reading.problem(HERE + ".url", "", "is a bucket: set backup_storage.backend to s3 or gcs");
        }
        if (!storage.isBucket() && l3.backend() != Backend.FILESYSTEM) {
            reading.problem(
                    HERE + ".url", "", "is a folder: set backup_storage.backend to filesystem, or name a bucket");
        }
        if (!l3.enabled() && reading.sound(L3 + ".enabled")) {
            reading.warning(HERE, "", "has no effect while backup_storage.enabled is false");
        }
        if (!storage.isBucket()) {
            for (String key : OF_BUCKETS) {
                if (reading.explicit().contains(HERE + "." + key)) {
                    reading.warning(HERE + "." + key, "", "is for buckets and has no effect on a folder");
                }
            }
        }
        URI endpoint = storage.endpoint();
        if (endpoint != null
                && reading.sound(HERE + ".endpoint")
                && ObjectStorageSettings.scheme(endpoint).equals("http")
                && !ServerSettings.isLoopback(endpoint.getHost())) {
            reading.warning(
                    HERE + ".endpoint",
                    "",
                    "is not https: who listens on the way sees what is not encrypted by backup_storage.encryption");
        }
    }

    private void login(ObjectStorageSettings storage) {
        if (!reading.sound(HERE + ".credentials", HERE + ".access_key", HERE + ".secret_key", HERE + ".profile")) {
            return;
        }
        boolean keys = storage.accessKey() != null && storage.secretKey() != null;
        if (storage.credentials() == Credentials.STATIC && !keys) {
            reading.problem(HERE + ".credentials", "static", "needs access_key and secret_key");
        }
        if (storage.credentials() != Credentials.STATIC
                && (storage.accessKey() != null || storage.secretKey() != null)) {
            String given = storage.accessKey() != null ? ".access_key" : ".secret_key";
            reading.problem(HERE + given, "", "is only for credentials static; set that, or remove this");
        }
        if (storage.credentials() != Credentials.PROFILE && storage.profile() != null) {
            reading.problem(HERE + ".profile", "", "is only for credentials profile; set that, or remove this");
        }
    }

    private void keys(ObjectStorageSettings storage) {
        if (storage.kmsKey() != null
                && storage.encryption() != Encryption.KMS
                && reading.sound(HERE + ".kms_key", HERE + ".encryption")) {
            reading.problem(HERE + ".kms_key", "", "is only for encryption kms; set that, or remove this");
        }
    }

    private void folders(ObjectStorageSettings storage) {
        if (reading.sound(HERE + ".anchor") && storage.anchor() != null) {
            String where = slashed(storage.url());
            String anchor = slashed(storage.anchor());
            if (anchor.startsWith(where) || where.startsWith(anchor)) {
                reading.problem(
                        HERE + ".anchor",
                        "",
                        "must be apart from url: whoever puts the one back to an older state must not reach the other");
            }
        }
        Path backups = folder(storage.url());
        if (backups != null && reading.sound(L3 + ".path")) {
            Path local = l3.path().toAbsolutePath().normalize();
            if (backups.startsWith(local) || local.startsWith(backups)) {
                reading.problem(
                        HERE + ".url", "", "must be a folder apart from backup_storage.path, best on another disk");
            }
        }
    }

    private static @Nullable Path folder(URI url) {
        return ObjectStorageSettings.scheme(url).equals("file")
                ? Path.of(url.getPath()).normalize()
                : null;
    }

    private static String slashed(URI url) {
        String text = url.normalize().toString();
        return text.endsWith("/") ? text : text + "/";
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
