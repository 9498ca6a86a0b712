package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.Chain;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Freshness;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.Problem;
import dev.terrace.tier.backup.repo.PrunePlan;
import dev.terrace.tier.backup.repo.Pruner;
import dev.terrace.tier.backup.repo.Segment;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Looks after the repository of L3's backups. */
@Command(
        name = "backup",
        description = "Look after the repository of L3's backups; with --config without a node.",
        mixinStandardHelpOptions = true,
        subcommands = {
            BackupCreateCommand.class,
            BackupStatusCommand.class,
            BackupCommand.List.class,
            BackupCommand.Verify.class,
            BackupCommand.Prune.class
        })
final class BackupCommand extends CommandGroup {
    /** What these have in common: a repository, asked writer by writer. */
    private abstract static class OnRepository implements Callable<Integer> {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                required = true,
                description = "Settings with the repository and its keys.")
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private Path config;

        @Option(names = "--writer", paramLabel = "N", description = "Only this writer (default: all).")
        private @Nullable Integer writer;

        @Option(names = "--json", description = "Print JSON.")
        boolean json;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        CommandSpec spec;

        /** Does it for one writer; returns whether all is well. */
        abstract boolean ask(OfflineRepository repository, int number, ObjectNode tree)
                throws BlobException, DamagedException, IOException;

        @Override
        public Integer call() throws IOException {
            PrintWriter out = spec.commandLine().getOut();
            try (OfflineRepository repository = new OfflineRepository(config)) {
                ObjectNode tree = NodeClient.JSON.createObjectNode();
                tree.put("repository", repository.url());
                ArrayNode writers = tree.putArray("writers");
                int count = repository.repository().writers();
                if (writer != null && (writer < 1 || writer > count)) {
                    throw new CommandFailure(
                            ExitCodes.FAILED, "there is no writer " + writer + ", the repository has had " + count);
                }
                if (!json) {
                    out.println("repository " + repository.url() + ", writers: " + count);
                }
                boolean well = true;
                for (int number = 1; number <= count; number++) {
                    if (writer == null || writer == number) {
                        well &= ask(repository, number, writers.addObject().put("writer", number));
                    }
                }
                if (json) {
                    out.println(tree);
                }
                out.flush();
                return well ? ExitCodes.OK : ExitCodes.FAILED;
            } catch (BlobException | DamagedException e) {
                throw new CommandFailure(ExitCodes.FAILED, String.valueOf(e.getMessage()));
            }
        }

        void say(String format, Object... parts) {
            if (!json) {
                spec.commandLine().getOut().println(String.format(Locale.ROOT, format, parts));
                spec.commandLine().getOut().flush();
            }
        }

        static String time(long millis) {
            return Instant.ofEpochMilli(millis).toString();
        }
    }

    /** Lists restore points. */
    @Command(
            name = "list",
            description = "List the restore points of every writer.",
            mixinStandardHelpOptions = true,
            footer =
                    "Each goes from the moment of its snapshot to the last change after it; 'restore --as-of' takes any moment between.")
    static final class List extends OnRepository {
        @Override
        boolean ask(OfflineRepository repository, int number, ObjectNode tree)
                throws BlobException, DamagedException, IOException {
            Chain chain = repository.repository().of(number).chain(number);
            ChainState state = chain.load().orElse(null);
            ArrayNode points = tree.putArray("points");
            if (state == null) {
                say("writer %d: nothing yet", number);
                return true;
            }
            tree.put("generation", state.head().number());
            tree.put("through", time(state.throughMillis()));
            say("writer %d: generation %d, through %s", number, state.head().number(), time(state.throughMillis()));
            for (Segment segment : state.segments()) {
                points.addObject()
                        .put("point", Verifier.pointName(number, segment))
                        .put("as_of", time(segment.asOfMillis()))
                        .put("through", time(segment.throughMillis()))
                        .put("last_generation", segment.last().number());
                say(
                        "  %-12s from %s to %s",
                        Verifier.pointName(number, segment), time(segment.asOfMillis()), time(segment.throughMillis()));
            }
            return true;
        }
    }

    /** Reads everything back. */
    @Command(
            name = "verify",
            description =
                    "Read every byte back, compare it with what was signed, and name what is wrong and which restore points it hurts.",
            mixinStandardHelpOptions = true,
            footer = "Exit code 1 when something is wrong, or the repository is older than it once was.")
    static final class Verify extends OnRepository {
        @Option(
                names = "--sample",
                paramLabel = "P%",
                defaultValue = "100%",
                description = "Read so many of the blobs; the others are looked at only (default: 100%%).")
        private String sample = "100%";

        @Option(
                names = "--expect-generation",
                paramLabel = "N",
                description = "A generation that is known to have been published, of the one --writer.")
        private @Nullable Long expected;

        @Override
        boolean ask(OfflineRepository repository, int number, ObjectNode tree)
                throws BlobException, DamagedException, IOException {
            Predicate<BlobRef> sampled = sampled();
            Verifier.Report report;
            Chain chain = repository.repository().of(number).chain(number);
            try (ByteProgress progress = new ByteProgress(spec.commandLine().getOut(), "verified", () -> 0, json)) {
                report = new Verifier(repository.repository().of(number), number).verify(sampled, progress);
            }
            Freshness freshness = freshness(repository, chain);
            tree.put("points", report.points())
                    .put("generations", report.generations())
                    .put("blobs", report.blobs())
                    .put("blobs_read", report.blobsRead())
                    .put("bytes_read", report.bytes())
                    .put("freshness", freshness.state().name().toLowerCase(Locale.ROOT))
                    .put("freshness_detail", freshness.detail());
            ArrayNode problems = tree.putArray("problems");
            say(
                    "writer %d: %d restore points, %d generations, %d of %d blobs read, %,d bytes; %s",
                    number,
                    report.points(),
                    report.generations(),
                    report.blobsRead(),
                    report.blobs(),
                    report.bytes(),
                    freshness.detail());
            for (Problem problem : report.problems()) {
                ObjectNode one = problems.addObject()
                        .put("kind", problem.kind().name().toLowerCase(Locale.ROOT))
                        .put("blob", problem.blob())
                        .put("detail", problem.detail());
                problem.hurts().forEach(one.putArray("hurts")::add);
                say("  %s", problem.detail());
                say("    hurts: %s", String.join(", ", problem.hurts()));
            }
            return report.problems().isEmpty() && freshness.state() != Freshness.State.ROLLED_BACK;
        }

        private Freshness freshness(OfflineRepository repository, Chain chain)
                throws BlobException, DamagedException, IOException {
            try {
                return repository.freshness(chain, chain.load().orElse(null), expected);
            } catch (DamagedException e) {
                return new Freshness(Freshness.State.UNVERIFIED, "freshness unverified: " + e.getMessage());
            }
        }

        private Predicate<BlobRef> sampled() {
            double percent;
            try {
                percent = Double.parseDouble(sample.endsWith("%") ? sample.substring(0, sample.length() - 1) : sample);
            } catch (NumberFormatException e) {
                percent = -1;
            }
            if (!(percent >= 0 && percent <= 100)) {
                throw new ParameterException(spec.commandLine(), "--sample " + sample + " is not from 0% to 100%");
            }
            double share = percent / 100;
            Random random = new Random();
            return blob -> random.nextDouble() < share;
        }
    }

    /** Removes old restore points. */
    @Command(
            name = "prune",
            description =
                    "Remove restore points that the policy does not keep, and what no restore point needs. Shows what it would do unless told to.",
            mixinStandardHelpOptions = true)
    static final class Prune extends OnRepository {
        @Option(
                names = "--keep-hourly",
                paramLabel = "N",
                description = "Keep the newest point of so many hours that have one.")
        private int hourly;

        @Option(
                names = "--keep-daily",
                paramLabel = "N",
                description = "Keep the newest point of so many days that have one.")
        private int daily;

        @Option(
                names = "--spare-uploads",
                paramLabel = "HOURS",
                defaultValue = "24",
                description = "Leave unpublished uploads of so many hours alone (default: 24).")
        private int spareHours = 24;

        @Option(
                names = "--yes-delete-from",
                paramLabel = "URL",
                description = "Do it; repeat the repository's URL as the settings name it.")
        private @Nullable String confirmed;

        @Override
        boolean ask(OfflineRepository repository, int number, ObjectNode tree)
                throws BlobException, DamagedException, IOException {
            KeepPolicy policy = new KeepPolicy(hourly, daily);
            if (confirmed != null && !confirmed.equals(repository.url())) {
                throw new CommandFailure(
                        ExitCodes.USAGE,
                        "--yes-delete-from " + confirmed + " is not this repository, " + repository.url()
                                + "; nothing was deleted");
            }
            Chain chain = repository.repository().of(number).chain(number);
            ChainState state = chain.load().orElse(null);
            if (state == null) {
                say("writer %d: nothing yet", number);
                return true;
            }
            PrunePlan plan = PrunePlan.of(state, policy);
            Pruner pruner = new Pruner(repository.repository().of(number), chain, InstantSource.system());
            long grace = Duration.ofHours(spareHours).toMillis();
            Pruner.Removed removed = confirmed == null ? pruner.survey(plan, grace) : pruner.execute(plan, grace);
            tree.put("dry_run", confirmed == null).put("blobs", removed.blobs()).put("bytes", removed.bytes());
            if (confirmed != null) {
                tree.put("unfinished_uploads", removed.unfinished());
            }
            ArrayNode going = tree.putArray("going");
            plan.going().forEach(segment -> going.add(Verifier.pointName(number, segment)));
            ArrayNode staying = tree.putArray("staying");
            plan.staying().forEach(segment -> staying.add(Verifier.pointName(number, segment)));
            plan.staying()
                    .forEach(segment ->
                            say("  stays  %s, %s", Verifier.pointName(number, segment), time(segment.asOfMillis())));
            plan.going()
                    .forEach(segment ->
                            say("  goes   %s, %s", Verifier.pointName(number, segment), time(segment.asOfMillis())));
            if (confirmed == null) {
                say(
                        "writer %d: would remove %d restore points and %d blobs, %,d bytes; to do it add --yes-delete-from %s",
                        number, plan.going().size(), removed.blobs(), removed.bytes(), repository.url());
            } else {
                say(
                        "writer %d: removed %d restore points and %d blobs, %,d bytes; unfinished uploads: %d",
                        number, plan.going().size(), removed.blobs(), removed.bytes(), removed.unfinished());
            }
            return true;
        }
    }
}
