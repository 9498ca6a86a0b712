package dev.terrace.core;

import dev.terrace.spi.EntrySource;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.ScannableTier;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tiers of one coordinator, fastest first; each may be missing.
 *
 * @param local L1
 * @param remote L2, guarded
 * @param backup L3, guarded
 * @param scannable L3 itself when it can be walked through
 */
record Tiers(
        @Nullable LocalTier local,
        @Nullable Tier remote,
        @Nullable Tier backup,
        @Nullable ScannableTier scannable) {
    Tiers withRemote(Tier other) {
        return new Tiers(local, other, backup, scannable);
    }

    List<Tier> present() {
        List<Tier> present = new ArrayList<>();
        if (local != null) {
            present.add(local);
        }
        if (remote != null) {
            present.add(remote);
        }
        if (backup != null) {
            present.add(backup);
        }
        return present;
    }

    /** Whether L3 is still being restored: what it cannot say now may be there. To be asked before L3 is. */
    boolean isBackupComing() {
        return scannable != null && scannable.readiness() != EntrySource.Readiness.WHOLE;
    }

    List<TierStatus> status() {
        return present().stream().map(Tier::status).toList();
    }
}
