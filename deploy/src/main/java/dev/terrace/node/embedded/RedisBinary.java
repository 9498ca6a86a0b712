package dev.terrace.node.embedded;

import dev.terrace.api.SetupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import redis.embedded.core.ExecutableProvider;

/** The redis-server of the embedded-redis library, unpacked into the folder it works in. */
final class RedisBinary {
    /** Also the mark by which a server that was left behind is known. */
    static final String FILE_NAME = "terrace-redis-server";

    private RedisBinary() {}

    /** Puts the executable at {@code target}, by a rename: a half-written one is never started. */
    static void unpack(Path target) {
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IllegalArgumentException("no parent folder: " + target);
        }
        Path unpacked = null;
        try {
            Path room = Files.createTempDirectory(folder, "unpack-");
            try {
                unpacked = ExecutableProvider.newJarResourceProvider(room.toFile())
                        .get()
                        .toPath();
                Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                if (unpacked != null) {
                    Files.deleteIfExists(unpacked);
                }
                Files.deleteIfExists(room);
            }
            if (!target.toFile().setExecutable(true, true)) {
                throw new IOException("it cannot be made executable");
            }
        } catch (IOException e) {
            throw EmbeddedRedis.cannotWrite(folder, e);
        } catch (RuntimeException e) {
            throw noServerForThisPlatform(e);
        }
    }

    static SetupException noServerForThisPlatform(Throwable cause) {
        return new SetupException(
                "there is no embedded Redis for " + System.getProperty("os.name") + " on "
                        + System.getProperty("os.arch"),
                "give a Redis of your own by --config, in distributed_cache.cluster_nodes",
                cause);
    }
}
