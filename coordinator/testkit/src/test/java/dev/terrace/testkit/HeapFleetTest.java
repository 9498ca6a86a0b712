package dev.terrace.testkit;

import dev.terrace.spi.Coordinating;
import dev.terrace.spi.TierLevel;
import java.time.Duration;

class HeapFleetTest extends FleetContract {
    private final ManualClock clock = ManualClock.startingNow();
    private final HeapTier tier = new HeapTier(TierLevel.L2, clock);

    @Override
    protected Coordinating tier() {
        return tier;
    }

    @Override
    protected void pass(Duration time) {
        clock.advance(time.plusMillis(1));
    }
}
