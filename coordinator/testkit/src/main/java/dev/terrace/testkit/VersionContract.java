package dev.terrace.testkit;

import static dev.terrace.testkit.Entries.staleable;
import static dev.terrace.testkit.Entries.text;
import static dev.terrace.testkit.Entries.tombstone;
import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static dev.terrace.testkit.Stages.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How writes of one key are ordered: by their versions, and as their conditions say. The first part of {@link TierContract}. */
public abstract class VersionContract {
    static final Duration TTL = Duration.ofMinutes(1);

    /** The clock that the tier under test reads. */
    protected final ManualClock clock = ManualClock.startingNow();

    /** The tier under test. */
    @SuppressWarnings("NullAway.Init") // set before each test
    Tier tier;

    private int counter;

    /** Opens an empty tier that is ready to serve and reads {@code clock}. */
    protected abstract Tier openTier() throws Exception;

    /** Opens the tier of the next test. */
    @BeforeEach
    protected final void open() throws Exception {
        tier = openTier();
    }

    /** Closes it. */
    @AfterEach
    protected final void close() {
        if (tier != null) {
            tier.close();
        }
    }

    static CacheKey key(String text) {
        return CacheKey.of("contract", text);
    }

    Version next() {
        return version(clock.millis(), ++counter);
    }

    StoreOutcome put(Entry entry) {
        return await(tier.put(entry, WriteCondition.IF_NEWER));
    }

    Lookup get(CacheKey key) {
        return await(tier.get(key));
    }

    Entry hit(CacheKey key) {
        Lookup found = get(key);
        assertThat(found).isInstanceOf(Lookup.Hit.class);
        return ((Lookup.Hit) found).entry();
    }

    @Test
    void aNewerVersionReplacesAndAnOlderOneNeverDoes() {
        Version old = next();
        Version newer = next();
        CacheKey key = key("ordered");
        assertThat(put(value(key, newer, clock.millis(), TTL, "newer"))).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(put(value(key, old, clock.millis(), TTL, "old"))).isEqualTo(new StoreOutcome.Superseded(newer));
        assertThat(text(hit(key))).isEqualTo("newer");
        assertThat(put(value(key, next(), clock.millis(), TTL, "newest"))).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(text(hit(key))).isEqualTo("newest");
    }

    @Test
    void versionsAreComparedAsUnsignedNumbersInEveryPart() {
        long now = clock.millis();
        List<Version> ascending = List.of(
                Version.of(now - 1, 0xFFFF, -1L),
                Version.of(now, 0, 0x0000_0000_FFFF_FFFFL),
                Version.of(now, 0, 0x0000_0001_0000_0000L),
                Version.of(now, 0, Long.MAX_VALUE),
                Version.of(now, 0, Long.MIN_VALUE),
                Version.of(now, 0, -1L),
                Version.of(now, 0x7F, 0),
                Version.of(now, 0x80, 0),
                Version.of(now, 0xFF, 0),
                Version.of(now, 0x100, 0),
                Version.of(now, 0x8000, 0),
                Version.of(now, 0xFFFF, 0),
                Version.of(now + 1, 0, 0));
        CacheKey key = key("unsigned");
        for (int i = 0; i < ascending.size(); i++) {
            assertThat(put(value(key, ascending.get(i), now, TTL, "v" + i)))
                    .as("version %d goes over version %d", i, i - 1)
                    .isInstanceOf(StoreOutcome.Applied.class);
            if (i > 0) {
                assertThat(put(value(key, ascending.get(i - 1), now, TTL, "late")))
                        .as("version %d does not go over version %d", i - 1, i)
                        .isEqualTo(new StoreOutcome.Superseded(ascending.get(i)));
            }
        }
    }

    @Test
    void storingTheSameVersionAgainCountsAsApplied() {
        Entry entry = value(key("again"), next(), clock.millis(), TTL, "x");
        assertThat(put(entry)).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(put(entry)).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(hit(entry.key())).isEqualTo(entry);
    }

    @Test
    void aTombstoneBeatsTheLateFillOfAnOlderVersion() {
        Version missBegan = next();
        Version invalidated = next();
        CacheKey key = key("fill");
        put(tombstone(key, invalidated, clock.millis(), TTL));
        assertThat(put(value(key, missBegan, clock.millis(), TTL, "stale fill")))
                .isEqualTo(new StoreOutcome.Superseded(invalidated));
        assertThat(hit(key).kind()).isEqualTo(EntryKind.TOMBSTONE);
    }

    @Test
    void ifAbsentReplacesNothingATombstoneAndWhatIsNoLongerFresh() {
        CacheKey key = key("absent");
        assertThat(await(tier.put(value(key, next(), clock.millis(), TTL, "1"), WriteCondition.IF_ABSENT)))
                .isInstanceOf(StoreOutcome.Applied.class);
        Version held = hit(key).version();
        assertThat(await(tier.put(value(key, next(), clock.millis(), TTL, "2"), WriteCondition.IF_ABSENT)))
                .isEqualTo(new StoreOutcome.Superseded(held));
        put(tombstone(key, next(), clock.millis(), TTL));
        assertThat(await(tier.put(staleable(key, next(), clock.millis(), TTL, TTL, "3"), WriteCondition.IF_ABSENT)))
                .isInstanceOf(StoreOutcome.Applied.class);
        clock.advance(TTL.plusMillis(1));
        assertThat(await(tier.put(value(key, next(), clock.millis(), TTL, "4"), WriteCondition.IF_ABSENT)))
                .isInstanceOf(StoreOutcome.Applied.class);
        assertThat(text(hit(key))).isEqualTo("4");
    }

    @Test
    void ifAbsentNeverReplacesANewerTombstone() {
        CacheKey key = key("absent, and newer");
        Version behind = next();
        Version invalidated = next();
        put(tombstone(key, invalidated, clock.millis(), TTL));
        assertThat(await(tier.put(value(key, behind, clock.millis(), TTL, "1"), WriteCondition.IF_ABSENT)))
                .isEqualTo(new StoreOutcome.Superseded(invalidated));
        assertThat(hit(key).kind()).isEqualTo(EntryKind.TOMBSTONE);
    }

    @Test
    void ifVersionIsCompareAndSet() {
        CacheKey key = key("cas");
        Version first = next();
        assertThat(await(tier.put(value(key, next(), clock.millis(), TTL, "x"), new WriteCondition.IfVersion(first))))
                .isEqualTo(new StoreOutcome.Superseded(null));
        put(value(key, first, clock.millis(), TTL, "1"));
        Version second = next();
        assertThat(await(tier.put(value(key, second, clock.millis(), TTL, "2"), new WriteCondition.IfVersion(first))))
                .isInstanceOf(StoreOutcome.Applied.class);
        assertThat(await(tier.put(value(key, next(), clock.millis(), TTL, "3"), new WriteCondition.IfVersion(first))))
                .isEqualTo(new StoreOutcome.Superseded(second));
        assertThat(text(hit(key))).isEqualTo("2");
    }

    @Test
    void ifUnchangedReplacesOnlyWhatWasSeen() {
        CacheKey key = key("unchanged");
        Version late = Version.of(clock.millis() + 1_000, 0, 2);
        Version first = next();
        assertThat(await(tier.put(value(key, first, clock.millis(), TTL, "1"), new WriteCondition.IfUnchanged(null))))
                .isInstanceOf(StoreOutcome.Applied.class);
        // Something is there that was not seen: the newer version does not help.
        assertThat(await(tier.put(value(key, late, clock.millis(), TTL, "x"), new WriteCondition.IfUnchanged(null))))
                .isEqualTo(new StoreOutcome.Superseded(first));
        Version second = next();
        assertThat(await(tier.put(value(key, second, clock.millis(), TTL, "2"), new WriteCondition.IfUnchanged(first))))
                .isInstanceOf(StoreOutcome.Applied.class);
        assertThat(await(tier.put(value(key, late, clock.millis(), TTL, "x"), new WriteCondition.IfUnchanged(first))))
                .isEqualTo(new StoreOutcome.Superseded(second));
        // Nor does it help to have seen it, when what is offered is older.
        assertThat(await(tier.put(value(key, first, clock.millis(), TTL, "x"), new WriteCondition.IfUnchanged(second))))
                .isEqualTo(new StoreOutcome.Superseded(second));
        assertThat(await(tier.put(value(key, second, clock.millis(), TTL, "2"), new WriteCondition.IfUnchanged(null))))
                .isInstanceOf(StoreOutcome.Applied.class);
        Version third = next();
        assertThat(await(tier.put(
                        Entry.tombstone(key, third, clock.millis(), clock.millis() + TTL.toMillis()),
                        WriteCondition.IF_NEWER)))
                .isInstanceOf(StoreOutcome.Applied.class);
        assertThat(await(tier.put(value(key, late, clock.millis(), TTL, "x"), new WriteCondition.IfUnchanged(null))))
                .isEqualTo(new StoreOutcome.Superseded(third));
    }
}
