package dev.terrace.core;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Resumable;
import dev.terrace.spi.ZoneDetection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of the logs of an L2 of which only its servers can tell whether it is one deployment or several zones. There is a log for
 * each node that the settings list, whatever they turn out to be, so that all nodes of the fleet count the same logs. Until it is
 * known where the log lies, it takes no notices. Thread-safe.
 */
final class UndecidedBackplane implements Backplane, Resumable {
    private static final Logger LOG = LoggerFactory.getLogger(UndecidedBackplane.class);

    private final String name;
    private final ZoneDetection detection;
    private final Function<Boolean, Backplane> opening;
    private volatile @Nullable Backplane decided;
    private volatile String failure = "";
    private volatile @Nullable String resumeAt;
    private boolean closed;

    UndecidedBackplane(String name, ZoneDetection detection, Function<Boolean, Backplane> opening) {
        this.name = name;
        this.detection = detection;
        this.opening = opening;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void start(long node, BackplaneListener listener) {
        detection.several().whenComplete((several, bug) -> {
            if (bug == null) {
                open(several, node, listener);
            }
        });
    }

    private synchronized void open(boolean several, long node, BackplaneListener listener) {
        if (closed) {
            return;
        }
        try {
            Backplane opened = opening.apply(several);
            String from = resumeAt;
            if (from != null && opened instanceof Resumable resumable) {
                resumable.resumeFrom(from);
            }
            opened.start(node, listener);
            decided = opened;
        } catch (RuntimeException e) {
            failure = String.valueOf(e.getMessage());
            LOG.error("a log cannot be opened, nothing is heard through it log={} reason={}", name, e.getMessage(), e);
        }
    }

    @Override
    public void resumeFrom(String bookmark) {
        resumeAt = bookmark;
    }

    @Override
    public @Nullable String bookmark() {
        return decided instanceof Resumable resumable ? resumable.bookmark() : resumeAt;
    }

    @Override
    public CompletionStage<Long> publishSoon(List<Notice> notices) {
        Backplane to = decided;
        return to == null ? CompletableFuture.completedStage(NOT_KNOWN) : to.publishSoon(notices);
    }

    @Override
    public CompletionStage<Long> publish(List<Notice> notices) {
        Backplane to = decided;
        return to == null ? CompletableFuture.completedStage(NOT_KNOWN) : to.publish(notices);
    }

    @Override
    public String trouble() {
        Backplane to = decided;
        if (to != null) {
            return to.trouble();
        }
        return failure.isEmpty() ? detection.trouble() : failure;
    }

    @Override
    public void close() {
        detection.close();
        Backplane last;
        synchronized (this) {
            closed = true;
            last = decided;
        }
        if (last != null) {
            last.close();
        }
    }
}
