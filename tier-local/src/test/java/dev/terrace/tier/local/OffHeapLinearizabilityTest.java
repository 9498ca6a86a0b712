package dev.terrace.tier.local;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** L1 in memory under Lincheck. */
public class OffHeapLinearizabilityTest extends LinearizableTier {
    private static Opened opened;

    @BeforeAll
    static void open() {
        opened = Opened.open(new LocalFixture());
    }

    @AfterAll
    static void close() {
        opened.close();
    }

    @Override
    Opened opened() {
        return opened;
    }

    @Test
    void outcomesAreThoseOfSomeOrder() {
        check(OffHeapLinearizabilityTest.class);
    }
}
