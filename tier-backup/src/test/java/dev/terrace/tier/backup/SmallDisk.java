package dev.terrace.tier.backup;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A small file system of its own for every test; needs root on Linux. */
abstract class SmallDisk {
    private final int mebibytes;

    @TempDir
    Path mountPoint;

    SmallDisk(int mebibytes) {
        this.mebibytes = mebibytes;
    }

    @BeforeEach
    void mount() throws Exception {
        String size = "size=" + mebibytes + "m";
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && run("mount", "-t", "tmpfs", "-o", size, "tmpfs", mountPoint.toString()),
                "skipped: mounting a small tmpfs needs root on Linux");
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", "-l", mountPoint.toString());
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
