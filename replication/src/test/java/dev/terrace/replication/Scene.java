package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replicated;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Coincidences that chance would take too long to bring about: each is a fault with accomplices, played once in a run, on a
 * key of its own that other callers only read. The protocol must stand all of them; each shows what one rule is for.
 */
enum Scene {
    /** Nothing is arranged. */
    NONE(0, 0) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {}
    },

    /** A node sleeps while the zones that acknowledged its write forget it and are filled again; then the rest arrives. */
    SLEPT_OVER_AMNESIA(0, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            straddle(simulation, random, true);
        }
    },

    /** A write is under way to a zone while another forgets it, and arrives when that one could have been filled. */
    UNDER_WAY_OVER_AMNESIA(0, 120) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            straddle(simulation, random, false);
        }
    },

    /** A zone restarts while it is being filled. */
    RELAPSE(0, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            SimNode writer = simulation.anyNode(random);
            List<SimZone> zones = simulation.shuffled(QUIET, random);
            int majority = Context.majority(zones.size());
            SimZone victim = zones.get(0);
            List<SimZone> lacking = zones.subList(majority, zones.size());
            after(
                    writer.write(CLIENT, QUIET, "q0"),
                    () -> simulation.later(20_000, () -> {
                        simulation.hush = true;
                        lacking.forEach(zone -> writer.link(zone).requestsCut = true);
                        simulation.later(2_000 * simulation.profile.fillingMillis() + 300_000, () -> {
                            simulation.hush = false;
                            victim.onRestore = null;
                            lacking.forEach(zone -> writer.link(zone).requestsCut = false);
                        });
                        after(
                                writer.write(CLIENT, QUIET, "q1"),
                                () -> simulation.later(2_000, () -> {
                                    simulation.forget(victim, SimZone::restartEmpty);
                                    victim.onRestore = entry -> {
                                        if (entry.key().equals(QUIET)) {
                                            victim.onRestore = null;
                                            simulation.later(random.nextInt(5_000), () -> {
                                                simulation.forget(victim, SimZone::restartEmpty);
                                                simulation.hush = false;
                                            });
                                        }
                                    };
                                }));
                    }));
        }
    },

    /** A delete reaches a zone before the write that it deletes, which comes as a late hint. */
    DELETED_BEFORE_WRITTEN(0, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            SimNode writer = simulation.anyNode(random);
            SimNode other = simulation.anyNodeBut(writer, random);
            SimLink cut = writer.link(simulation.shuffled(QUIET, random).get(0));
            cut.requestsCut = true;
            simulation.later(400_000 + random.nextInt(400_000), () -> cut.requestsCut = false);
            after(writer.write(CLIENT, QUIET, "q0"), () -> other.write(CLIENT, QUIET, null));
        }
    },

    /**
     * The zones that promised and accepted a conditional write forget all of it but one promise; a plain write of a node whose
     * clock is behind follows; then the last accept arrives.
     */
    ACCEPTED_AFTER_AMNESIA(3, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            oldBallot(simulation, random, false);
        }
    },

    /**
     * The same, and the last accept never arrives, but a node that had read what the zones have forgotten wakes up and writes it
     * back.
     */
    WRITTEN_BACK_AFTER_AMNESIA(3, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            oldBallot(simulation, random, true);
        }
    },

    /**
     * The same, and the plain write reaches only zones that have not promised anything, while those that have forgotten are filled; it is
     * read, and then the last accept arrives.
     */
    FILLED_BELOW_A_PROMISE(3, 40) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            SimNode writer = simulation.nodes.get(0);
            SimNode reader = simulation.nodes.get(1);
            SimNode ahead = simulation.nodes.get(2);
            List<SimZone> zones = simulation.shuffled(QUIET, random);
            int majority = Context.majority(zones.size());
            List<SimZone> forgetful = zones.subList(0, majority - 1);
            SimZone last = zones.get(majority - 1);
            long readMicros = 1_000 * (2 * simulation.profile.fillingMillis() + 60 + random.nextInt(60));
            after(
                    writer.write(CLIENT, QUIET, "q0"),
                    () -> simulation.later(20_000, () -> {
                        simulation.hush = true;
                        zones.subList(majority, zones.size()).forEach(zone -> ahead.link(zone).requestsCut = true);
                        onceAllPromised(zones.subList(0, majority), () -> {
                            ahead.link(last).heldUntilNanos = simulation.time.nanos() + 1_000 * (readMicros + 50_000);
                            writer.link(last).requestsCut = true;
                            simulation.later(
                                    12_000,
                                    () -> forgetful.forEach(zone -> simulation.forget(zone, SimZone::restartEmpty)));
                            simulation.later(14_000 + random.nextInt(6_000), () -> writer.write(CLIENT, QUIET, "q2"));
                            simulation.later(readMicros, () -> {
                                reader.link(last).requestsCut = true;
                                reader.read(CLIENT + "2", QUIET);
                            });
                            simulation.later(readMicros + 95_000, () -> reconnect(simulation));
                        });
                        ahead.swap(CLIENT + "3", QUIET, "q0", "q1");
                    }));
        }
    },

    /**
     * A read has its first votes; a write of a node whose clock is ahead is acknowledged; then the node that had written the key before
     * writes in one round, which zones take that have missed the other; and the read gets the last vote of one of these.
     */
    READ_BELOW_A_WRITE(3, 120) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            SimNode writer = simulation.nodes.get(0);
            SimNode reader = simulation.nodes.get(1);
            SimNode ahead = simulation.nodes.get(2);
            List<SimZone> zones = simulation.shuffled(QUIET, random);
            int majority = Context.majority(zones.size());
            List<SimZone> apart = zones.subList(majority, zones.size());
            after(
                    writer.write(CLIENT, QUIET, "q0"),
                    () -> simulation.later(20_000, () -> {
                        simulation.hush = true;
                        apart.forEach(zone -> ahead.link(zone).requestsCut = true);
                        zones.subList(majority - 1, zones.size()).forEach(zone -> reader.link(zone).requestsCut = true);
                        reader.link(apart.get(0)).requestsCut = false;
                        reader.link(apart.get(0)).heldUntilNanos = simulation.time.nanos() + 70_000_000;
                        reader.read(CLIENT + "2", QUIET);
                        simulation.later(
                                15_000,
                                () -> after(ahead.write(CLIENT + "3", QUIET, "q1"), () -> {
                                    zones.subList(0, majority).forEach(zone -> writer.link(zone).requestsCut = true);
                                    // Not at the moment of the acknowledgement: after it.
                                    simulation.later(1_000, () -> writer.write(CLIENT, QUIET, "q2"));
                                }));
                        simulation.later(150_000, () -> reconnect(simulation));
                    }));
        }
    },

    /**
     * A plain write has its version; while it is under way to a zone, that one promises and accepts a conditional write which has not
     * seen it, and takes a plain write above that.
     */
    OVERTAKEN_BY_A_CONDITION(3, 120) {
        @Override
        void play(Simulation simulation, SplittableRandom random) {
            SimNode writer = simulation.nodes.get(0);
            SimNode other = simulation.nodes.get(1);
            SimNode ahead = simulation.nodes.get(2);
            List<SimZone> zones = simulation.shuffled(QUIET, random);
            int majority = Context.majority(zones.size());
            SimZone meeting = zones.get(0);
            List<SimZone> promising = zones.subList(1, majority);
            List<SimZone> apart = zones.subList(majority, zones.size());
            AtomicInteger queried = new AtomicInteger();
            Runnable acts = () -> {
                writer.link(meeting).heldUntilNanos = simulation.time.nanos() + 80_000_000;
                promising.forEach(zone -> writer.link(zone).requestsCut = true);
                apart.forEach(zone -> ahead.link(zone).requestsCut = true);
                after(ahead.swap(CLIENT + "2", QUIET, "q0", "q1"), () -> {
                    promising.forEach(zone -> ahead.link(zone).requestsCut = true);
                    ahead.write(CLIENT + "2", QUIET, "q3");
                });
                simulation.later(82_000, () -> other.link(meeting).requestsCut = true);
                simulation.later(100_000, () -> other.read(CLIENT + "3", QUIET));
                simulation.later(150_000, () -> reconnect(simulation));
            };
            after(
                    other.write(CLIENT + "3", QUIET, "q0"),
                    () -> simulation.later(20_000, () -> {
                        simulation.hush = true;
                        zones.forEach(zone -> zone.onQuery = key -> {
                            if (key.equals(QUIET) && queried.incrementAndGet() == majority) {
                                zones.forEach(each -> each.onQuery = null);
                                acts.run();
                            }
                        });
                        writer.write(CLIENT, QUIET, "q2");
                    }));
        }
    };

    /** The scenes' key. */
    static final CacheKey QUIET = CacheKey.of("c", "quiet");

    private static final String CLIENT = "scene";

    /** How many nodes it needs; 0 for any number. */
    final int nodes;

    /** The deadline of single calls; 0 for any. */
    final long timeoutMillis;

    Scene(int nodes, long timeoutMillis) {
        this.nodes = nodes;
        this.timeoutMillis = timeoutMillis;
    }

    abstract void play(Simulation simulation, SplittableRandom random);

    /** Whether the last node stays out of everything else, with a clock far ahead. */
    boolean hasOutsider() {
        return switch (this) {
            case ACCEPTED_AFTER_AMNESIA,
                    WRITTEN_BACK_AFTER_AMNESIA,
                    FILLED_BELOW_A_PROMISE,
                    READ_BELOW_A_WRITE,
                    OVERTAKEN_BY_A_CONDITION -> true;
            default -> false;
        };
    }

    private static void after(CompletionStage<Replicated> write, Runnable next) {
        write.thenAccept(receipt -> {
            if (receipt.outcome() == Replicated.Outcome.ACKNOWLEDGED) {
                next.run();
            }
        });
    }

    /** The scene is over: everybody reaches everything, and may touch its key. */
    private static void reconnect(Simulation simulation) {
        simulation.nodes.forEach(node -> new ArrayList<>(node.links).forEach(link -> link.requestsCut = false));
        simulation.hush = false;
    }

    /** Runs {@code next} when each of {@code zones} has promised something for the scenes' key. */
    private static void onceAllPromised(List<SimZone> zones, Runnable next) {
        AtomicInteger promised = new AtomicInteger();
        zones.forEach(zone -> zone.onPromise = key -> {
            if (key.equals(QUIET) && promised.incrementAndGet() == zones.size()) {
                zones.forEach(each -> each.onPromise = null);
                next.run();
            }
        });
    }

    /** So many zones acknowledge and forget that one more is a majority; it gets the write late, the others never. */
    private static void straddle(Simulation simulation, SplittableRandom random, boolean asleep) {
        SimNode writer = simulation.anyNode(random);
        List<SimZone> zones = simulation.shuffled(QUIET, random);
        int majority = Context.majority(zones.size());
        Profile profile = simulation.profile;
        long heldMicros = asleep
                ? 1_000 * (profile.fillingMillis() + 50 + random.nextInt(100))
                : 1_000 * (profile.timeoutMillis / 2 + random.nextLong(profile.timeoutMillis / 2 - 10));
        after(
                writer.write(CLIENT, QUIET, "q0"),
                () -> simulation.later(10_000, () -> {
                    long until = simulation.time.nanos() + 1_000 * heldMicros;
                    writer.link(zones.get(majority - 1)).heldUntilNanos = until;
                    for (SimZone zone : zones.subList(majority, zones.size())) {
                        writer.link(zone).requestsCut = true;
                        simulation.later(heldMicros + 300_000, () -> writer.link(zone).requestsCut = false);
                    }
                    writer.write(CLIENT, QUIET, "q1");
                    simulation.later(3_000 + random.nextInt(5_000), () -> {
                        zones.subList(0, majority - 1).forEach(zone -> simulation.forget(zone, SimZone::restartEmpty));
                        if (asleep) {
                            writer.host.asleepUntilNanos = until + 30_000_000;
                        }
                    });
                }));
    }

    private static void oldBallot(Simulation simulation, SplittableRandom random, boolean byReader) {
        SimNode writer = simulation.nodes.get(0);
        SimNode reader = simulation.nodes.get(1);
        SimNode ahead = simulation.nodes.get(2);
        List<SimZone> zones = simulation.shuffled(QUIET, random);
        int majority = Context.majority(zones.size());
        List<SimZone> forgetful = zones.subList(0, majority - 1);
        SimZone last = zones.get(majority - 1);
        List<SimZone> promising = zones.subList(0, majority);
        long fillingMicros = 1_000 * (simulation.profile.fillingMillis() + 60 + random.nextInt(60));
        after(
                writer.write(CLIENT, QUIET, "q0"),
                () -> simulation.later(20_000, () -> {
                    simulation.hush = true;
                    zones.subList(majority, zones.size()).forEach(zone -> ahead.link(zone).requestsCut = true);
                    onceAllPromised(promising, () -> {
                        long until = simulation.time.nanos() + 1_000 * (fillingMicros + 100_000);
                        if (byReader) {
                            ahead.link(last).requestsCut = true;
                            reader.link(last).requestsCut = true;
                            simulation.later(12_000, () -> {
                                reader.read(CLIENT + "2", QUIET);
                                reader.host.asleepUntilNanos = until;
                            });
                        } else {
                            ahead.link(last).heldUntilNanos = until;
                        }
                        writer.link(last).requestsCut = true;
                        simulation.later(
                                byReader ? 25_000 : 12_000,
                                () -> forgetful.forEach(zone -> simulation.forget(zone, SimZone::restartEmpty)));
                        simulation.later(fillingMicros + 25_000, () -> writer.write(CLIENT, QUIET, "q2"));
                        simulation.later(fillingMicros + 95_000, () -> reconnect(simulation));
                    });
                    ahead.swap(CLIENT + "3", QUIET, "q0", "q1");
                }));
    }
}
