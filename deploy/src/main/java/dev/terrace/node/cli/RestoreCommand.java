package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.RecipientKey;
import dev.terrace.tier.backup.Restore;
import dev.terrace.tier.backup.repo.DamagedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes a folder of L3 from its repository. */
@Command(
        name = "restore",
        description =
                "Restore L3 from its backup repository into an empty folder: the newest state, or that of a moment.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = "Killed anywhere, the same command goes on. Several writers are merged by version.")
final class RestoreCommand implements Callable<Integer> {
    private static final String GOES_ON = "; when that is mended, the same command goes on";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            required = true,
            description = "Settings with the repository and its keys.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private Path config;

    @Option(
            names = "--as-of",
            paramLabel = "TIME",
            description = "State of this moment, such as 2026-11-21T20:15:00Z (default: the newest).")
    private @Nullable String asOf;

    @Option(names = "--cache", paramLabel = "CACHE", description = "Only this cache (default: all).")
    private @Nullable String cache;

    @Option(
            names = "--into",
            paramLabel = "FOLDER",
            description = "Where to (default: backup_storage.path); it must be empty, unless --merge is given.")
    private @Nullable Path into;

    @Option(
            names = "--private-key",
            paramLabel = "FILE",
            description = "The private key that sealed backups open with.")
    private @Nullable Path privateKey;

    @Option(
            names = "--private-key-passphrase-file",
            paramLabel = "FILE",
            description = "File with the passphrase of the private key.")
    private @Nullable Path privateKeyPassphrase;

    @Option(
            names = "--merge",
            description = "Into a folder of L3 that is there and that no node has open: newer versions stay.")
    private boolean merge;

    @Option(
            names = "--accept-loss",
            description =
                    "Where something is lost or damaged, restore the newest state before it that is whole; everything is read twice.")
    private boolean acceptLoss;

    @Option(
            names = "--rate",
            paramLabel = "MIB",
            description =
                    "At most so many MiB a second (default: backup_storage.object_storage.max_mb_per_second; 0: no limit but that).")
    private @Nullable Integer rate;

    @Option(names = "--json", description = "Print JSON, and no progress.")
    private boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Instant moment = moment();
        RecipientKey own = own();
        try (OfflineRepository repository = new OfflineRepository(config)) {
            Path target = into == null ? repository.l3().path() : into;
            Restore restore = new Restore(repository.store(), repository.l3(), repository.context(), target, own);
            restore.atMost((long) rate(repository) << 20);
            if (merge) {
                restore.merging();
            }
            if (acceptLoss) {
                restore.acceptingLoss();
            }
            Restore.Report report;
            try (ByteProgress progress = new ByteProgress(out, "restored", restore::bytes, json)) {
                String only = cache;
                report = restore.run(
                        moment, entry -> only == null || entry.key().cache().equals(only), only == null, progress);
            }
            ObjectNode tree = NodeClient.JSON.createObjectNode();
            tree.put("folder", target.toString());
            tree.put("writers", report.writers());
            tree.put("bytes", report.bytes());
            tree.put("batches", report.batches());
            tree.put("merged", report.merged());
            tree.put("expired", report.expired());
            tree.put("unreadable", report.unreadable());
            tree.put("through", Instant.ofEpochMilli(report.throughMillis()).toString());
            report.lost().forEach(tree.putArray("lost")::add);
            if (json) {
                out.println(tree);
            } else {
                out.printf(
                        "restored %s: %,d bytes of %d writers, %,d changes after their snapshots, %,d entries merged%n",
                        target, report.bytes(), report.writers(), report.batches(), report.merged());
                if (report.expired() > 0) {
                    out.printf("%,d entries had expired and were left out%n", report.expired());
                }
                if (report.unreadable() > 0) {
                    out.printf(
                            "%,d records could not be read and were left out: damaged, or their key was destroyed%n",
                            report.unreadable());
                }
                report.lost().forEach(wrong -> out.println("lost, with what came after it: " + wrong));
                out.println(
                        moment == null
                                ? "it holds everything that was shipped, through "
                                        + Instant.ofEpochMilli(report.throughMillis())
                                : "it holds the state of " + moment);
            }
            out.flush();
            return ExitCodes.OK;
        } catch (DamagedException e) {
            throw new CommandFailure(ExitCodes.FAILED, e.getMessage() + wayOut());
        } catch (BlobException e) {
            boolean isLost = e.kind() == BlobException.Kind.ABSENT || e.kind() == BlobException.Kind.CORRUPT;
            throw new CommandFailure(ExitCodes.FAILED, e.getMessage() + (isLost ? wayOut() : ""));
        } catch (FileSystemException e) {
            throw new CommandFailure(ExitCodes.FAILED, "the restore stopped at " + e.getMessage() + GOES_ON);
        } catch (IOException e) {
            throw new CommandFailure(ExitCodes.FAILED, "the restore stopped: " + e.getMessage() + GOES_ON);
        }
    }

    private String wayOut() {
        return acceptLoss ? "" : "; --accept-loss restores the newest state before it that is whole";
    }

    private @Nullable RecipientKey own() {
        if (privateKey == null && privateKeyPassphrase == null) {
            return null;
        }
        if (privateKey == null || privateKeyPassphrase == null) {
            throw new ParameterException(
                    spec.commandLine(), "--private-key and --private-key-passphrase-file belong together");
        }
        return RecipientKey.read(privateKey, SecretFile.read(privateKeyPassphrase, "passphrase file"));
    }

    private int rate(OfflineRepository repository) {
        if (rate == null) {
            return repository.maxMibPerSecond();
        }
        if (rate < 0) {
            throw new ParameterException(
                    spec.commandLine(), "--rate " + rate + " is not a rate; give MiB a second, or 0 for no limit");
        }
        return rate;
    }

    private @Nullable Instant moment() {
        if (asOf == null) {
            return null;
        }
        try {
            return OffsetDateTime.parse(asOf).toInstant();
        } catch (DateTimeParseException e) {
            throw new ParameterException(
                    spec.commandLine(), "'" + asOf + "' is not a time; write it like 2026-11-21T20:15:00Z");
        }
    }
}
