package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** Which run of the machine this is: as long as it is the same, the operating system has all that any process ever wrote. */
final class MachineBoot {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final String ID = read();

    private MachineBoot() {}

    static String id() {
        return ID;
    }

    private static String read() {
        try {
            return Files.readString(BOOT_ID).trim();
        } catch (IOException notLinux) {
            // So that every process looks like the first after a stop of the machine.
            return UUID.randomUUID().toString();
        }
    }
}
