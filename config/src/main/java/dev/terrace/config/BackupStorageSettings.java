package dev.terrace.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * L3, the backup tier.
 *
 * @param enabled whether there is one
 * @param backend what lies behind the local RocksDB
 * @param path RocksDB's folder, created when missing
 * @param compression whether values are compressed (zstd); a switch because compressing before encrypting leaks lengths
 * @param encryption whether values are encrypted (AES-256-GCM); needs a key
 * @param keystore BCFKS keystore with the master key, or null
 * @param keystoreAlias which key in it
 * @param passphrase the keystore's password, or, without a keystore, what the master key is derived from
 * @param retention how long anything is kept
 * @param durable whether a write waits until L3 has it in its log
 * @param timeout the deadline of every read, and of waiting for room in the write queue
 * @param softTimeout longest wait of a read before the search goes on without L3; null for {@code timeout}
 * @param queueEntries most writes that wait for the disk
 * @param queueMib most mebibytes that wait for the disk
 * @param keyService name of a key service that keeps the master key instead, or null
 * @param keyName which of its keys, or null
 * @param objectStorage where backups go, or null
 * @param schedule when, and what is kept there
 * @param restore whether an empty folder comes back from there
 */
public record BackupStorageSettings(
        boolean enabled,
        Backend backend,
        Path path,
        boolean compression,
        boolean encryption,
        @Nullable Path keystore,
        String keystoreAlias,
        @Nullable Secret passphrase,
        Duration retention,
        boolean durable,
        Duration timeout,
        @Nullable Duration softTimeout,
        int queueEntries,
        int queueMib,
        @Nullable String keyService,
        @Nullable String keyName,
        @Nullable ObjectStorageSettings objectStorage,
        BackupSchedule schedule,
        RestoreOnStart restore) {
    /** Whether L3 comes back from its repository by itself. */
    public enum RestoreOnStart {
        /** It starts with what is in its folder. */
        NEVER,
        /** When there is nothing in its folder, it comes back while it serves. */
        IF_EMPTY
    }

    /** Whether an empty folder comes back from the repository. */
    public boolean restoresWhenEmpty() {
        return restore == RestoreOnStart.IF_EMPTY;
    }

    /** These settings, with an empty folder that comes back or does not. */
    public BackupStorageSettings withRestore(RestoreOnStart other) {
        return with(draft -> draft.restore = other);
    }

    /** Without a soft timeout and without object storage. */
    public BackupStorageSettings(
            boolean enabled,
            Backend backend,
            Path path,
            boolean compression,
            boolean encryption,
            @Nullable Path keystore,
            String keystoreAlias,
            @Nullable Secret passphrase,
            Duration retention,
            boolean durable,
            Duration timeout,
            int queueEntries,
            int queueMib) {
        this(
                enabled,
                backend,
                path,
                compression,
                encryption,
                keystore,
                keystoreAlias,
                passphrase,
                retention,
                durable,
                timeout,
                null,
                queueEntries,
                queueMib,
                null,
                null,
                null,
                BackupSchedule.defaults(),
                RestoreOnStart.NEVER);
    }

    /** These settings with another patience of reads; null for {@code timeout}. */
    public BackupStorageSettings withSoftTimeout(@Nullable Duration other) {
        return with(draft -> draft.softTimeout = other);
    }

    /** These settings with another place for backups; null for none. */
    public BackupStorageSettings withObjectStorage(@Nullable ObjectStorageSettings other) {
        return with(draft -> draft.objectStorage = other);
    }

    /** These settings with another schedule of backups. */
    public BackupStorageSettings withSchedule(BackupSchedule other) {
        return with(draft -> draft.schedule = other);
    }

    /** These settings for another folder. */
    public BackupStorageSettings withPath(Path other) {
        return with(draft -> draft.path = other);
    }

    /** These settings with another master key. */
    public BackupStorageSettings withKey(
            @Nullable Path newKeystore,
            String newAlias,
            @Nullable Secret newPassphrase,
            @Nullable String newService,
            @Nullable String newName) {
        return with(draft -> {
            draft.keystore = newKeystore;
            draft.keystoreAlias = newAlias;
            draft.passphrase = newPassphrase;
            draft.keyService = newService;
            draft.keyName = newName;
        });
    }

    /** What lies behind the local RocksDB. */
    public enum Backend {
        /** A folder where object storage names one; else the local disk is all. */
        FILESYSTEM,
        /** Amazon S3 or a look-alike. */
        S3,
        /** Google Cloud Storage. */
        GCS
    }

    /** Off; {@code ./data/backup}, compressed, not encrypted, one day, when switched on. */
    public static BackupStorageSettings defaults() {
        return new BackupStorageSettings(
                false,
                Backend.FILESYSTEM,
                Path.of("data", "backup"),
                true,
                false,
                null,
                "terrace",
                null,
                Duration.ofHours(24),
                false,
                Duration.ofSeconds(1),
                10_000,
                64);
    }

    private BackupStorageSettings with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy to be changed: the one place that lists all parts for it. */
    private static final class Draft {
        private boolean enabled;
        private Backend backend;
        private Path path;
        private boolean compression;
        private boolean encryption;
        private @Nullable Path keystore;
        private String keystoreAlias;
        private @Nullable Secret passphrase;
        private Duration retention;
        private boolean durable;
        private Duration timeout;
        private @Nullable Duration softTimeout;
        private int queueEntries;
        private int queueMib;
        private @Nullable String keyService;
        private @Nullable String keyName;
        private @Nullable ObjectStorageSettings objectStorage;
        private BackupSchedule schedule;
        private RestoreOnStart restore;

        Draft(BackupStorageSettings of) {
            enabled = of.enabled;
            backend = of.backend;
            path = of.path;
            compression = of.compression;
            encryption = of.encryption;
            keystore = of.keystore;
            keystoreAlias = of.keystoreAlias;
            passphrase = of.passphrase;
            retention = of.retention;
            durable = of.durable;
            timeout = of.timeout;
            softTimeout = of.softTimeout;
            queueEntries = of.queueEntries;
            queueMib = of.queueMib;
            keyService = of.keyService;
            keyName = of.keyName;
            objectStorage = of.objectStorage;
            schedule = of.schedule;
            restore = of.restore;
        }

        BackupStorageSettings finished() {
            return new BackupStorageSettings(
                    enabled,
                    backend,
                    path,
                    compression,
                    encryption,
                    keystore,
                    keystoreAlias,
                    passphrase,
                    retention,
                    durable,
                    timeout,
                    softTimeout,
                    queueEntries,
                    queueMib,
                    keyService,
                    keyName,
                    objectStorage,
                    schedule,
                    restore);
        }
    }
}
