package dev.terrace.tier.local;

import static dev.terrace.tier.local.PersistedFixture.TTL;
import static dev.terrace.tier.local.PersistedFixture.entry;
import static dev.terrace.tier.local.PersistedFixture.key;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads of what an earlier process left, while others drop, replace or confirm it. */
class UnconfirmedReadTest {
    private Runnable afterGet = () -> {};
    private final ManualClock clock = ManualClock.startingNow();
    private final LocalCacheSettings settings = PersistedFixture.settings(1_000, 8);
    private final MapShape shape = MapShape.of(settings, false);
    private final EntryMap map = MemoryMap.open(shape, false);
    private final Shelf shelf = new Shelf(
            settings, new Groups(), clock, new LocalCounters(new MetricRegistry()), KeyHash.XXH128, shape, (EntryMap)
                    Proxy.newProxyInstance(
                            EntryMap.class.getClassLoader(),
                            new Class<?>[] {EntryMap.class},
                            (proxy, method, arguments) -> {
                                Object result = method.invoke(map, arguments);
                                if (method.getName().equals("get")) {
                                    Runnable now = afterGet;
                                    afterGet = () -> {};
                                    now.run();
                                }
                                return result;
                            }));
    private final LocalWrites writes = new LocalWrites(shelf, TTL.toMillis());

    @AfterEach
    void close() {
        shelf.close();
    }

    /** Read as if by an earlier process, with something in the way between the map's answer and the reader's next step. */
    private Lookup read(Runnable between) {
        writes.store(entry(clock, 1, 1, new byte[] {1}), WriteCondition.IF_NEWER);
        Doubts doubts = new Doubts(shelf.table.slots());
        StoredValue stored = new StoredValue();
        assertThat(shelf.map.get(shelf.hashOf(key(1)), stored)).isTrue();
        doubts.set(stored.slot);
        shelf.doubt(doubts);
        afterGet = between;
        return new LocalReads(shelf).lookUp(key(1));
    }

    private void requireNotFresh(Lookup found) {
        assertThat(found instanceof Lookup.Hit hit && hit.entry().isFresh(clock.millis()))
                .isFalse();
    }

    @Test
    void whatIsDroppedWhileItIsReadIsNotAnsweredAsFresh() {
        HashKey key = shelf.hashOf(key(1));
        requireNotFresh(read(() -> shelf.remove(key.high, key.low)));
    }

    @Test
    void whatIsConfirmedWhileItIsReadIsNotAnsweredAsFreshYet() {
        HashKey key = shelf.hashOf(key(1));
        requireNotFresh(read(() -> {
            shelf.remove(key.high, key.low);
            shelf.believe();
        }));
    }

    @Test
    void whatReplacesItWhileItIsReadIsAnsweredInstead() {
        Entry newer = entry(clock, 1, 2, new byte[] {2});
        Lookup found = read(() -> writes.store(newer, WriteCondition.IF_NEWER));
        assertThat(((Lookup.Hit) found).entry().payload()).containsExactly((byte) 2);
        assertThat(((Lookup.Hit) found).entry().isFresh(clock.millis())).isTrue();
    }
}
