package dev.terrace.node.embedded;

import dev.terrace.api.SetupException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Servers that a killed node left behind. Two servers over one folder would ruin its log of writes. */
final class Leftovers {
    private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);
    private static final long PATIENCE_SECONDS = 5;

    private Leftovers() {}

    /**
     * Ends every process of this user that runs {@code binary}. The caller holds the folder's lock, so no living node
     * owns it; the path lies in that folder, so it can be nobody else's. A process id from a file would prove neither.
     */
    static void end(Path binary) {
        for (ProcessHandle leftover : running(binary)) {
            LOG.info("ending the embedded Redis that a killed node left behind pid={}", leftover.pid());
            leftover.destroy(); // SIGTERM: it syncs its log to disk.
            if (!ended(leftover)) {
                leftover.destroyForcibly();
                if (!ended(leftover)) {
                    throw new SetupException(
                            "an embedded Redis that was left behind does not end, process " + leftover.pid(),
                            "end it by hand, then start again");
                }
            }
        }
    }

    static List<ProcessHandle> running(Path binary) {
        String path = binary.toString();
        return ProcessHandle.allProcesses()
                .filter(candidate -> candidate
                        .info()
                        .command()
                        // Linux says so when the file was replaced meanwhile.
                        .filter(command -> command.equals(path) || command.equals(path + " (deleted)"))
                        .isPresent())
                .toList();
    }

    private static boolean ended(ProcessHandle process) {
        try {
            process.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
