package dev.terrace.tier.local;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The same over a file. */
class PersistedBoundsTest extends OffHeapTierBoundsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void inAFile() {
        local.persistIn(folder);
    }
}
