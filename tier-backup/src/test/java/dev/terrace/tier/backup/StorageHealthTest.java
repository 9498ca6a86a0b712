package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

class StorageHealthTest {
    private final StorageHealth health = new StorageHealth(Path.of("folder"));

    private static RocksDBException error(Status.SubCode subCode) {
        return new RocksDBException("broken", new Status(Status.Code.IOError, subCode, "broken"));
    }

    @Test
    @Tag("F45")
    void aFailedSyncIsNeverForgottenWhateverWorksLater() {
        health.syncFailed(error(Status.SubCode.None));
        health.worked();
        assertThat(health.refusal()).contains("restarted");
        assertThat(health.detail()).contains("folder");
    }

    @Test
    @Tag("F44")
    void aFullDiskIsForgottenOnceAWriteWorks() {
        health.failed(error(Status.SubCode.NoSpace));
        assertThat(health.refusal()).isNull();
        assertThat(health.detail()).contains("full").contains("folder");
        health.worked();
        assertThat(health.detail()).isNull();
        health.syncFailed(error(Status.SubCode.NoSpace));
        health.worked();
        assertThat(health.detail()).isNull();
    }
}
