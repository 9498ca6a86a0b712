package dev.terrace.node.http;

import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.jobs.BackupJson;
import dev.terrace.node.jobs.Jobs;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BackupShipper;
import dev.terrace.spi.RestoreReport;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** L3's backups: how they stand, and a snapshot now. */
final class BackupEndpoints {
    /** A snapshot of a folder of any size; each call of the repository has a bound of its own. */
    private static final long PATIENCE_HOURS = 6;

    private final CacheCoordinator coordinator;
    private final Jobs jobs;

    BackupEndpoints(CacheCoordinator coordinator, Jobs jobs) {
        this.coordinator = coordinator;
        this.jobs = jobs;
    }

    void addTo(Router router) {
        router.on("GET", "/backup", this::status).on("POST", "/backup", this::snapshot);
    }

    private Map<String, Object> tree() {
        BackupShipper shipper = coordinator.backups();
        BackupReport report = shipper == null ? null : shipper.backup();
        if (report == null) {
            return Map.of("enabled", false);
        }
        Map<String, Object> tree = BackupJson.tree(report);
        RestoreReport restore = coordinator.restore();
        if (restore != null) {
            tree.put("restore", BackupJson.tree(restore));
        }
        return tree;
    }

    private void status(Exchange exchange) throws IOException {
        exchange.json(200, tree());
    }

    private void snapshot(Exchange exchange) throws IOException {
        BackupShipper shipper = coordinator.backups();
        if (shipper == null) {
            throw new HttpProblem(
                    404,
                    "Not found",
                    "this node's L3 is not backed up: set backup_storage.object_storage.url and start it again");
        }
        Jobs.Job job = jobs.start("backup", progress -> {
            String why = shipper.snapshot().toCompletableFuture().get(PATIENCE_HOURS, TimeUnit.HOURS);
            if (!why.isEmpty()) {
                throw new IOException(why);
            }
            return tree();
        });
        exchange.with("Location", "/jobs/" + job.id()).json(202, OperationsEndpoints.tree(job));
    }
}
