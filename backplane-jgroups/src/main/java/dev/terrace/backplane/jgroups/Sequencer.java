package dev.terrace.backplane.jgroups;

import dev.terrace.backplane.jgroups.GroupFrame.Offer;
import dev.terrace.backplane.jgroups.GroupFrame.Order;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Numbers what it is offered while this node coordinates the group: a fixed sequencer (Défago, Schiper, Urbán, "Total Order
 * Broadcast and Multicast Algorithms", ACM Computing Surveys 2004). Each reign has an identity and begins at a position made
 * of the clock, so that positions are not used again. What waits while one order is being sent goes together in the next.
 */
final class Sequencer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sequencer.class);
    private static final int MOST_WAITING = 50_000;
    private static final int MOST_ORDER_BYTES = 256 * 1024;
    private static final long TOLD_AGAIN_MILLIS = 1_000;

    private final InstantSource clock;
    private final Consumer<Order> send;
    private final BlockingQueue<Offer> offers = new LinkedBlockingQueue<>(MOST_WAITING);
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean reigning;
    private boolean announced;
    private long identity;
    private long last;
    private long highestHeard;

    Sequencer(InstantSource clock, Consumer<Order> send) {
        this.clock = clock;
        this.send = send;
        this.thread = new Thread(this::run, "terrace-group-order");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Takes an offer to be numbered; drops it when too many wait, or this node does not coordinate. */
    void offer(Offer offer) {
        if (reigning && !offers.offer(offer)) {
            LOG.debug("an offer is dropped, too many wait");
        }
    }

    /** The view says whether this node coordinates. A reign that goes on keeps its identity. */
    synchronized void reign(boolean coordinates) {
        if (coordinates && !reigning) {
            identity = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
            last = Math.max(clock.millis() * 1024, Math.max(last, highestHeard) + 1);
            announced = false;
            offers.clear();
        }
        reigning = coordinates;
        notifyAll();
    }

    /** Positions of other reigns that were heard are not used again. */
    synchronized void heard(long position) {
        highestHeard = Math.max(highestHeard, position);
    }

    private void run() {
        long toldAt = System.nanoTime();
        while (!closed) {
            try {
                List<Offer> batch = take();
                boolean due = System.nanoTime() - toldAt > TimeUnit.MILLISECONDS.toNanos(TOLD_AGAIN_MILLIS);
                Order order = number(batch, due);
                if (order != null) {
                    toldAt = System.nanoTime();
                    send.accept(order);
                }
            } catch (InterruptedException e) {
                return; // closing
            } catch (RuntimeException e) {
                LOG.warn("an order could not be sent reason={}", e.toString());
            }
        }
    }

    private List<Offer> take() throws InterruptedException {
        List<Offer> batch = new ArrayList<>();
        Offer first = offers.poll(20, TimeUnit.MILLISECONDS);
        int bytes = 0;
        for (Offer next = first; next != null; next = offers.poll()) {
            batch.add(next);
            bytes += next.notices().length;
            if (bytes > MOST_ORDER_BYTES) {
                break;
            }
        }
        return batch;
    }

    /** Null when there is nothing to say. The beginning of a reign is told at once, and where it stands now and then. */
    private synchronized @Nullable Order number(List<Offer> batch, boolean due) {
        if (!reigning || batch.isEmpty() && announced && !due) {
            return null;
        }
        announced = true;
        // A beat that speaks of positions of another reign must not be heard in this one.
        List<Offer> good = batch.stream()
                .filter(offer -> offer.speaksOf() == 0 || offer.speaksOf() == identity)
                .toList();
        long count = good.stream().mapToLong(Offer::count).sum();
        last += count;
        return new Order(identity, last, good);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
