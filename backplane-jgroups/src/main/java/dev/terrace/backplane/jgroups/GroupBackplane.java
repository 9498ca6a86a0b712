package dev.terrace.backplane.jgroups;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.backplane.jgroups.GroupFrame.Offer;
import dev.terrace.backplane.jgroups.GroupFrame.Order;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Notice;
import dev.terrace.spi.NoticeFormat;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.EmptyMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices over JGroups, in one order for all: publishers offer, the coordinator numbers, everyone delivers. So it keeps what a
 * log keeps: a node that hears its own beat has heard all that was numbered before, and positions agree. A coordinator that
 * is gone took its order with it: the next one reigns under another identity, which everyone hears as a gap; so does a node
 * that comes back from a partition, and one that was excluded. Thread-safe.
 *
 * <p>What it cannot know: who is missing. A node alone is a group of its own and hears its own beats; whether all that should be
 * heard are heard is for the coherence engine to say, from their beats.
 *
 * <p>With a secret, everything is encrypted (AES-CBC), and every frame carries a proof that one who knows the secret wrote it, so
 * that strangers neither read nor forge notices. Who may write to the network can still disturb the group, which then hears
 * gaps; run it in a network that strangers cannot write to.
 */
final class GroupBackplane implements Backplane {
    private static final Logger LOG = LoggerFactory.getLogger(GroupBackplane.class);
    private static final int MOST_BATCH_BYTES = 64 * 1024;
    private static final int MOST_UNANSWERED = 100_000;
    private static final long RETRY_MILLIS = 1_000;

    private final GroupPlan settings;
    private final Seal seal;
    private final Deadlines deadlines;
    private final Sequencer sequencer;
    private final long publisher = ThreadLocalRandom.current().nextLong();
    private final AtomicLong batches = new AtomicLong();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final Map<Long, Pending> pending = new ConcurrentSkipListMap<>();
    private final LinkedBlockingQueue<Pending> toSend = new LinkedBlockingQueue<>();
    private final Object order = new Object();
    private final Object delivering = new Object();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread sender = new Thread(this::send, "terrace-group-send");
    private final Thread joiner = new Thread(this::join, "terrace-group-join");
    private final Counter published;
    private final Counter heard;
    private final Counter sent;
    private final Counter notKnown;
    private final Counter overflow;
    private final Counter skipped;
    private final Counter forged;
    private final MetricRegistry metrics;
    private volatile @Nullable JChannel channel;
    private volatile @Nullable Address coordinator;
    private volatile @Nullable BackplaneListener listener;
    private volatile boolean closed;
    private volatile String trouble = "not joined yet";
    private volatile long position;
    private long node;
    private volatile long identity;
    private boolean begun;

    private record Pending(Offer offer, CompletableFuture<Long> position) {}

    GroupBackplane(GroupPlan settings, InstantSource clock, MetricRegistry metrics) {
        this.settings = settings;
        this.seal = settings.secret() == null
                ? Seal.none()
                : Seal.of(settings.secret().reveal(), settings.name());
        this.metrics = metrics;
        this.deadlines =
                new Deadlines("terrace-group-deadlines", settings.timeout().toMillis());
        this.sequencer = new Sequencer(clock, this::multicast);
        this.published = metrics.counter("backplane.group.published");
        this.heard = metrics.counter("backplane.group.heard");
        this.sent = metrics.counter("backplane.group.batches");
        this.notKnown = metrics.counter("backplane.group.not_known");
        this.overflow = metrics.counter("backplane.group.overflow");
        this.skipped = metrics.counter("backplane.group.skipped");
        this.forged = metrics.counter("backplane.group.forged");
        metrics.remove("backplane.group.members");
        metrics.register("backplane.group.members", (Gauge<Integer>) this::members);
        metrics.remove("backplane.group.position");
        metrics.register("backplane.group.position", (Gauge<Long>) () -> position);
        sender.setDaemon(true);
        joiner.setDaemon(true);
    }

    @Override
    public String name() {
        return "group";
    }

    /** How many nodes are in the view; 0 while there is none. */
    int members() {
        JChannel joined = channel;
        View view = joined == null ? null : joined.getView();
        return view == null ? 0 : view.size();
    }

    @Override
    public String trouble() {
        return closed ? "closed" : members() == 1 && trouble.isEmpty() ? "no other node is reached" : trouble;
    }

    /** For tests. */
    @Nullable
    JChannel channel() {
        return channel;
    }

    @Override
    public synchronized void start(long node, BackplaneListener listener) {
        if (this.listener != null) {
            throw new IllegalStateException("started already");
        }
        this.node = node;
        this.listener = listener;
        sequencer.start();
        sender.start();
        joiner.start();
    }

    /** Joins, again and again; from then on JGroups finds the others and merges. */
    private void join() {
        while (!closed) {
            JChannel joining = null;
            try {
                joining = GroupStack.channel(settings, seal);
                JChannel own = joining;
                own.setReceiver(new Receiver() {
                    @Override
                    public void receive(Message message) {
                        received(message);
                    }

                    @Override
                    public void viewAccepted(View view) {
                        viewed(own, view);
                    }
                });
                channel = own;
                own.connect(seal.wireName(settings.name()));
                trouble = "";
                if (closed) {
                    own.close();
                }
                return;
            } catch (Exception e) {
                if (joining != null) {
                    joining.close();
                }
                String why = "cannot join: " + reason(e);
                if (!why.equals(trouble)) {
                    trouble = why;
                    LOG.warn("the group cannot be joined bind={} reason={}", settings.bind(), why);
                }
            }
            try {
                if (closing.await(RETRY_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (InterruptedException e) {
                return; // closing
            }
        }
    }

    /** What is at the bottom of it: JGroups wraps. */
    private static String reason(Throwable failure) {
        Throwable bottom = failure;
        while (bottom.getCause() != null && bottom.getCause() != bottom) {
            bottom = bottom.getCause();
        }
        return bottom.getClass().getSimpleName() + ": " + bottom.getMessage();
    }

    private void viewed(JChannel joined, View view) {
        Address first = view.getCoord();
        Address before = coordinator;
        coordinator = first;
        LOG.info("the group has {} members view={}", view.size(), view);
        sequencer.reign(first != null && first.equals(joined.getAddress()));
        if (first != null && !first.equals(before)) {
            // What the old coordinator did not answer, the new one numbers; a notice may be heard twice.
            toSend.addAll(pending.values());
        }
    }

    @Override
    public CompletionStage<Long> publish(List<Notice> notices) {
        if (notices.isEmpty() || closed) {
            return refused(notices.size());
        }
        List<CompletableFuture<Long>> parts = new ArrayList<>(1);
        for (int from = 0; from < notices.size(); ) {
            int to = from + 1;
            int bytes = NoticeFormat.lengthOf(notices.get(from));
            while (to < notices.size() && bytes + NoticeFormat.lengthOf(notices.get(to)) <= MOST_BATCH_BYTES) {
                bytes += NoticeFormat.lengthOf(notices.get(to));
                to++;
            }
            parts.add(offer(notices.subList(from, to)));
            from = to;
        }
        CompletableFuture<Long> last = parts.get(parts.size() - 1);
        return parts.size() == 1
                ? last
                : CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                        .thenApply(all ->
                                parts.stream().anyMatch(part -> part.join() == NOT_KNOWN) ? NOT_KNOWN : last.join());
    }

    private CompletableFuture<Long> refused(int notices) {
        notKnown.inc(notices);
        return CompletableFuture.completedFuture(NOT_KNOWN);
    }

    private CompletableFuture<Long> offer(List<Notice> notices) {
        byte[] bytes;
        try {
            bytes = NoticeFormat.write(notices);
        } catch (IllegalArgumentException e) {
            LOG.warn("a notice cannot be written and is not published reason={}", e.getMessage());
            return refused(notices.size());
        }
        if (unanswered.addAndGet(notices.size()) > MOST_UNANSWERED) {
            unanswered.addAndGet(-notices.size());
            overflow.inc(notices.size());
            return refused(notices.size());
        }
        boolean beats = notices.stream().anyMatch(Notice.Beat.class::isInstance);
        Pending one;
        synchronized (order) {
            one = new Pending(
                    new Offer(publisher, batches.incrementAndGet(), beats ? identity : 0, notices.size(), bytes),
                    new CompletableFuture<>());
            pending.put(one.offer().batch(), one);
            toSend.add(one);
        }
        one.position().whenComplete((at, never) -> {
            pending.remove(one.offer().batch());
            unanswered.addAndGet(-one.offer().count());
            (at == NOT_KNOWN ? notKnown : published).inc(one.offer().count());
        });
        return deadlines.watch(one.position(), () -> NOT_KNOWN);
    }

    private void send() {
        while (!closed) {
            try {
                Pending next = toSend.take();
                Address to = coordinator;
                JChannel joined = channel;
                if (to == null || joined == null || next.position().isDone()) {
                    continue; // it stays pending, and goes out when there is a coordinator
                }
                sent.inc();
                if (to.equals(joined.getAddress())) {
                    sequencer.offer(next.offer());
                } else {
                    joined.send(new BytesMessage(to, seal.close(next.offer().bytes())));
                }
            } catch (InterruptedException e) {
                return; // closing
            } catch (Exception e) {
                LOG.debug("an offer could not be sent", e);
            }
        }
    }

    private void multicast(Order ordered) {
        JChannel joined = channel;
        if (joined == null) {
            return;
        }
        try {
            joined.send(new BytesMessage(null, seal.close(ordered.bytes())));
        } catch (Exception e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private void received(Message message) {
        if (!message.hasPayload()) {
            return; // it only asks whether what was before it has arrived
        }
        byte[] bytes = message.getArray();
        int length = bytes == null ? 0 : seal.open(bytes, message.getOffset(), message.getLength());
        if (length < 0) {
            // If a true one was changed on the way, what follows it shows that it is missing.
            forged.inc();
            return;
        }
        GroupFrame frame = bytes == null ? null : GroupFrame.read(bytes, message.getOffset(), length);
        if (frame instanceof Offer offer) {
            sequencer.offer(offer);
        } else if (frame instanceof Order ordered) {
            if (message.getSrc() != null && message.getSrc().equals(coordinator)) {
                deliver(ordered);
            }
        } else {
            skipped.inc();
            synchronized (delivering) {
                gap("unreadable", "a message of another build cannot be read");
            }
        }
    }

    private void deliver(Order ordered) {
        synchronized (delivering) {
            if (closed) {
                return;
            }
            long from = ordered.last() - ordered.count();
            if (!begun) {
                begun = true;
            } else if (identity != ordered.identity()) {
                gap("anew", "another node coordinates, or a partition ended");
            } else if (from != position) {
                gap(from > position ? "missed" : "back", "the group went on from " + position + " to " + from);
            }
            identity = ordered.identity();
            sequencer.heard(ordered.last());
            List<Notice> forUs = new ArrayList<>();
            for (Offer part : ordered.parts()) {
                NoticeFormat.Read read = NoticeFormat.readOfOthers(part.notices(), node);
                if (read.unread() > 0 || read.notices().size() + read.own() != part.count()) {
                    skipped.inc();
                    gap("unreadable", "some notices cannot be read; a later build may have sent them");
                }
                heard.inc(read.notices().size());
                forUs.addAll(read.notices());
            }
            boolean moved = position != ordered.last();
            position = ordered.last();
            if (moved) {
                tell(listening -> listening.heard(forUs, ordered.last()));
            }
            answer(ordered, from);
        }
    }

    /** After delivery: what is answered has been heard here. */
    private void answer(Order ordered, long from) {
        long at = from;
        for (Offer part : ordered.parts()) {
            at += part.count();
            Pending own = part.publisher() == publisher ? pending.get(part.batch()) : null;
            if (own != null) {
                own.position().complete(at);
            }
        }
    }

    private void gap(String cause, String why) {
        metrics.counter("backplane.group.gaps." + cause).inc();
        LOG.info("notices may have been missed name=group reason={}", why);
        tell(listening -> listening.gap(why));
    }

    private void tell(java.util.function.Consumer<BackplaneListener> what) {
        BackplaneListener listening = listener;
        if (listening == null) {
            return;
        }
        try {
            what.accept(listening);
        } catch (RuntimeException e) {
            LOG.error("a listener failed name=group", e);
        }
    }

    /**
     * Waits, for a time, until the others have what this node numbered: a view without this node may overtake it, and whoever
     * has that view drops what comes from here.
     */
    private void awaitArrival(JChannel joined) {
        if (members() < 2 || !joined.getAddress().equals(coordinator)) {
            return;
        }
        try {
            joined.send(new EmptyMessage(null).setFlag(Message.Flag.RSVP));
        } catch (Exception e) {
            LOG.debug("whether the others have the last notices is not known", e);
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closing.getCount() == 0) {
                return;
            }
            closing.countDown();
        }
        Collection<CompletableFuture<Long>> last =
                pending.values().stream().map(Pending::position).toList();
        try {
            CompletableFuture.allOf(last.toArray(CompletableFuture[]::new))
                    .get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            LOG.debug("not all that was published could be handed over");
        }
        JChannel joined = channel;
        if (joined != null) {
            awaitArrival(joined);
        }
        synchronized (delivering) {
            closed = true;
        }
        sequencer.close();
        sender.interrupt();
        joiner.interrupt();
        joined = channel; // it may have been opened meanwhile
        if (joined != null) {
            joined.close();
        }
        deadlines.close();
    }
}
