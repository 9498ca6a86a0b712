package dev.terrace.tier.backup;

import dev.terrace.spi.Tier;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.TierContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class EncryptedRocksTierContractIT extends TierContract {
    @TempDir
    static Path keys;

    @TempDir
    Path folder;

    @Override
    protected Tier openTier() {
        return new RocksTierProvider().open(new TestContext(clock, Backups.withKeyFile(folder, keys.resolve("kek"))));
    }
}
