package dev.terrace.tier.local;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** L1 in a file under Lincheck: readers there take no lock, and look whether a writer came between. */
public class FileLinearizabilityTest extends LinearizableTier {
    @TempDir
    static Path folder;

    private static Opened opened;

    @BeforeAll
    static void open() {
        LocalFixture fixture = new LocalFixture();
        fixture.persistIn(folder);
        opened = Opened.open(fixture);
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
        check(FileLinearizabilityTest.class);
    }
}
