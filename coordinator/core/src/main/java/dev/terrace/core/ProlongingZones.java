package dev.terrace.core;

import dev.terrace.spi.Entry;
import dev.terrace.spi.Prolonging;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Several zones: lives are lengthened wherever the version is held, and count as lengthened when some zone has done it and none holds
 * anything newer. Thread-safe.
 */
record ProlongingZones(List<Prolonging> zones) implements Prolonging {
    @Override
    public CompletionStage<Prolonged> prolong(Entry entry) {
        List<CompletableFuture<Prolonged>> asked = zones.stream()
                .map(zone -> zone.prolong(entry).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new)).thenApply(done -> {
            Set<Prolonged> said = EnumSet.noneOf(Prolonged.class);
            asked.forEach(one -> said.add(one.join()));
            if (said.contains(Prolonged.REPLACED)) {
                return Prolonged.REPLACED;
            }
            if (said.contains(Prolonged.DONE)) {
                return Prolonged.DONE;
            }
            return said.contains(Prolonged.UNAVAILABLE) ? Prolonged.UNAVAILABLE : Prolonged.NOT_HELD;
        });
    }
}
