package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.node.jobs.KeyJson;
import dev.terrace.spi.KeyReport;
import dev.terrace.tier.backup.FolderKeys;
import dev.terrace.tier.backup.Recipient;
import dev.terrace.tier.backup.RecipientKey;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The keys that L3 is encrypted with. */
@Command(
        name = "keys",
        description = "The keys that L3 is encrypted with: of a folder (--config), or of a running node.",
        mixinStandardHelpOptions = true,
        subcommands = {
            KeysCommand.Init.class,
            KeysCommand.ListKeys.class,
            KeysCommand.Rotate.class,
            KeysCommand.Rewrap.class,
            KeysCommand.Destroy.class,
            KeysCommand.NewRecipient.class
        })
final class KeysCommand extends CommandGroup {
    private static BackupStorageSettings settings(Path config) {
        return SettingsLoader.read(config, System.getenv()).settings().backupStorage();
    }

    /** What all of them share. */
    private abstract static class Saying implements Callable<Integer> {
        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        CommandSpec spec;

        int say(JsonNode answer) {
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(answer);
            } else {
                print(out, answer);
            }
            out.flush();
            return ExitCodes.OK;
        }

        int say(KeyReport report) {
            return say(NodeClient.JSON.<JsonNode>valueToTree(KeyJson.tree(report)));
        }

        void hint(String line) {
            spec.commandLine().getErr().println(line);
            spec.commandLine().getErr().flush();
        }

        void print(PrintWriter out, JsonNode answer) {
            if (!answer.path("encrypted").asBoolean()) {
                out.println("L3 is not encrypted, so it has no keys");
                return;
            }
            out.println("ring " + answer.path("ring").asText() + ", locked by "
                    + answer.path("locked_by").asText());
            out.printf("%-8s %5s  %-10s %-24s %8s  %s%n", "purpose", "epoch", "state", "since", "sub-keys", "");
            for (JsonNode key : answer.path("keys")) {
                String by = key.path("by").asText();
                String fingerprint = key.path("fingerprint").asText();
                out.printf(
                        "%-8s %5d  %-10s %-24s %8d  %s%n",
                        key.path("purpose").asText(),
                        key.path("epoch").asInt(),
                        key.path("state").asText(),
                        key.path("since").asText(),
                        key.path("sub_keys").asInt(),
                        (by.isEmpty() ? "" : "by " + by)
                                + (fingerprint.isEmpty() ? "" : ", public key " + fingerprint));
            }
        }

        static String who() {
            return System.getProperty("user.name", "someone");
        }
    }

    /** Makes a folder and its keys. */
    @Command(
            name = "init",
            description = "Make the L3 folder of a settings file and its keys, as a first start does, and the keystore "
                    + "if one is named and not there.",
            mixinStandardHelpOptions = true)
    static final class Init extends Saying {
        @Option(names = "--config", required = true, paramLabel = "FILE", description = "The settings file.")
        @SuppressWarnings("NullAway.Init") // required
        private Path config;

        @Override
        public Integer call() {
            try (FolderKeys keys = FolderKeys.create(settings(config), InstantSource.system())) {
                return say(keys.report());
            }
        }
    }

    /** Lists them. */
    @Command(
            name = "list",
            description = "List the keys: what for, since when, in which state. Never the keys themselves.",
            mixinStandardHelpOptions = true)
    static final class ListKeys extends Saying {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "Read the folder of this settings file, without a node.")
        private @Nullable Path config;

        @Mixin
        private final NodeClient node = new NodeClient();

        @Override
        public Integer call() {
            if (config == null) {
                return say(node.json("GET", "/keys", null));
            }
            try (FolderKeys keys = FolderKeys.open(settings(config), InstantSource.system())) {
                return say(keys.report());
            }
        }
    }

    /** A new key. */
    @Command(
            name = "rotate",
            description =
                    "Make a new data key: what is written from now on has it, nothing is rewritten, what is old stays readable.",
            mixinStandardHelpOptions = true)
    static final class Rotate extends Saying {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "In the folder of this settings file, without a node.")
        private @Nullable Path config;

        @Option(names = "--signing", description = "A new key for signatures instead.")
        private boolean signing;

        @Mixin
        private final NodeClient node = new NodeClient();

        @Override
        public Integer call() {
            String purpose = signing ? "signing" : "data";
            if (config == null) {
                ObjectNode order = NodeClient.JSON.createObjectNode();
                order.put("purpose", purpose).put("by", who());
                return say(node.json("POST", "/keys/rotate", order.toString().getBytes(StandardCharsets.UTF_8)));
            }
            try (FolderKeys keys = FolderKeys.open(settings(config), InstantSource.system())) {
                keys.rotate(purpose, who());
                return say(keys.report());
            }
        }
    }

    /** Another passphrase, keystore or key service. */
    @Command(
            name = "rewrap",
            description =
                    "Lock the keys of a folder by another passphrase, keystore or key service. No record is rewritten.",
            mixinStandardHelpOptions = true)
    static final class Rewrap extends Saying {
        @Option(
                names = "--config",
                required = true,
                paramLabel = "FILE",
                description = "The settings file, with the key of now.")
        @SuppressWarnings("NullAway.Init") // required
        private Path config;

        @Option(names = "--new-passphrase-file", paramLabel = "FILE", description = "File with the new passphrase.")
        private @Nullable Path passphrase;

        @Option(
                names = "--new-keystore",
                paramLabel = "FILE",
                description = "The new BCFKS keystore; the passphrase is its password.")
        private @Nullable Path keystore;

        @Option(
                names = "--new-keystore-alias",
                paramLabel = "NAME",
                defaultValue = "terrace",
                description = "Which key in it (default: terrace).")
        private String alias = "";

        @Option(names = "--new-key-service", paramLabel = "NAME", description = "The new key service.")
        private @Nullable String service;

        @Option(names = "--new-key-name", paramLabel = "NAME", description = "Which of its keys.")
        private @Nullable String keyName;

        @Override
        public Integer call() {
            if ((passphrase == null) == (service == null)) {
                throw new CommandFailure(
                        ExitCodes.USAGE,
                        "give --new-passphrase-file, with or without --new-keystore, or --new-key-service");
            }
            Settings all = SettingsLoader.read(config, System.getenv()).settings();
            BackupStorageSettings now = all.backupStorage();
            BackupStorageSettings next = now.withKey(
                    keystore,
                    alias,
                    passphrase == null ? null : SecretFile.read(passphrase, "passphrase file"),
                    service,
                    keyName);
            try (FolderKeys keys = FolderKeys.open(now, InstantSource.system())) {
                // First, and tried with both: a run that was interrupted is done again.
                rewrapJournal(all.journal().path(), now, next);
                keys.rewrap(next);
                hint("change the key in " + config
                        + " before the node starts again; copies of the folder have the old one");
                return say(keys.report());
            }
        }
    }

    private static void rewrapJournal(Path path, BackupStorageSettings now, BackupStorageSettings next) {
        try (FolderKeys keys = FolderKeys.openJournal(path, now, InstantSource.system())) {
            if (keys != null) {
                keys.rewrap(next);
            }
        } catch (SetupException e) {
            try (FolderKeys done = FolderKeys.openJournal(path, next, InstantSource.system())) {
                if (done == null) {
                    throw e;
                }
            } catch (SetupException neither) {
                e.addSuppressed(neither);
                throw e;
            }
        }
    }

    /** Makes data unreadable. */
    @Command(
            name = "destroy",
            description =
                    "Destroy the key of a data epoch: everything that was written with it is unreadable, for ever.",
            mixinStandardHelpOptions = true,
            footer = "Copies of the folder that lie elsewhere still have the key.")
    static final class Destroy extends Saying {
        @Parameters(paramLabel = "EPOCH", description = "The number that 'keys list' shows; not the active one.")
        private int epoch;

        @Option(
                names = "--config",
                required = true,
                paramLabel = "FILE",
                description = "The settings file; no node may run.")
        @SuppressWarnings("NullAway.Init") // required
        private Path config;

        @Option(
                names = "--confirm",
                paramLabel = "TEXT",
                description = "What you would be asked to type: 'destroy epoch N'.")
        private @Nullable String confirm;

        @Override
        public Integer call() throws IOException {
            try (FolderKeys keys = FolderKeys.open(settings(config), InstantSource.system())) {
                keys.requireDestroyable(epoch);
                String wanted = "destroy epoch " + epoch;
                String typed = confirm == null ? asked(wanted) : confirm;
                if (!wanted.equals(typed.strip().toLowerCase(Locale.ROOT))) {
                    throw new CommandFailure(
                            ExitCodes.FAILED, "not confirmed; nothing was changed (type '" + wanted + "')");
                }
                keys.destroy(epoch, who());
                return say(keys.report());
            }
        }

        private String asked(String wanted) throws IOException {
            hint("Everything that was written with key epoch " + epoch + " will be unreadable, for ever.");
            hint("Type '" + wanted + "' to go on:");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
            String line = in.readLine();
            return line == null ? "" : line;
        }
    }

    /** An offline key pair. */
    @Command(
            name = "recipient",
            description =
                    "Make a key pair that sealed backups are closed to; the private half belongs off this machine.",
            mixinStandardHelpOptions = true)
    static final class NewRecipient extends Saying {
        @Option(
                names = "--out",
                required = true,
                paramLabel = "FILE",
                description = "Where the private half goes; must not exist.")
        @SuppressWarnings("NullAway.Init") // required
        private Path out;

        @Option(
                names = "--passphrase-file",
                required = true,
                paramLabel = "FILE",
                description = "File with the passphrase that the private half is encrypted with.")
        @SuppressWarnings("NullAway.Init") // required
        private Path passphrase;

        @Override
        public Integer call() {
            Recipient recipient = RecipientKey.create(out, SecretFile.read(passphrase, "passphrase file"));
            hint("the private half, encrypted, is in " + out + ": move it off this machine, keep two copies");
            ObjectNode answer = NodeClient.JSON.createObjectNode();
            answer.put("recipient", recipient.toString());
            answer.put("fingerprint", recipient.fingerprint());
            answer.put("private_key", out.toString());
            return say(answer);
        }

        @Override
        void print(PrintWriter to, JsonNode answer) {
            to.println(answer.path("recipient").asText());
        }
    }
}
