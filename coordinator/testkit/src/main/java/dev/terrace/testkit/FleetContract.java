package dev.terrace.testkit;

import static dev.terrace.testkit.Stages.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LeaseStore.Claim;
import dev.terrace.spi.LeaseStore.Claimed;
import dev.terrace.spi.LeaseStore.Released;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.Prolonging.Prolonged;
import dev.terrace.spi.RateStore.Rate;
import dev.terrace.spi.RateStore.Taken;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link Coordinating} tier that can lengthen lives must do, with real time or a clock that {@link #pass} moves. */
public abstract class FleetContract {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(150);

    private final CacheKey key = CacheKey.of("quotes", "key {1} " + UUID.randomUUID());

    /** For subclasses. */
    protected FleetContract() {}

    /** The tier under test; the same for the whole test. */
    protected abstract Coordinating tier();

    /** Lets so much time go by. */
    protected abstract void pass(Duration time);

    private LeaseStore leases() {
        return tier().leases();
    }

    private Claimed claim(String owner, Duration keep, @Nullable Version seen) {
        return await(leases().claim(new Claim(key, owner, keep, seen)));
    }

    private void granted(String owner) {
        assertThat(claim(owner, LONG, Version.ZERO)).isInstanceOf(Claimed.Granted.class);
    }

    private Entry put(long aheadMillis) {
        long millis = InstantSource.system().millis();
        Entry entry = Entries.value(key, Entries.version(millis + aheadMillis, 1), millis, LONG, "v");
        await(((Tier) tier()).put(entry, WriteCondition.IF_NEWER));
        return entry;
    }

    @Test
    void oneOwnerAtATimeWhoMayAskAgain() {
        granted("a");
        granted("a");
        assertThat(claim("b", LONG, Version.ZERO)).isInstanceOfSatisfying(Claimed.Held.class, held -> {
            assertThat(held.owner()).isEqualTo("a");
            assertThat(held.left()).isPositive().isLessThanOrEqualTo(LONG);
        });
        assertThat(await(leases().release(key, "b"))).isEqualTo(Released.NOT_HELD);
        assertThat(claim("c", LONG, null)).isInstanceOf(Claimed.Held.class);
        assertThat(await(leases().release(key, "a"))).isEqualTo(Released.WANTED);
        granted("b");
        assertThat(await(leases().release(key, "b"))).isEqualTo(Released.UNWANTED);
        assertThat(await(leases().release(key, "b"))).isEqualTo(Released.NOT_HELD);
    }

    @Test
    void thatOthersWaitIsRememberedThroughRenewalsAndClaimsOfTheOwner() {
        granted("a");
        claim("b", LONG, Version.ZERO);
        assertThat(await(leases().renew(key, "a", LONG))).isInstanceOf(Claimed.Granted.class);
        granted("a");
        assertThat(await(leases().release(key, "a"))).isEqualTo(Released.WANTED);
    }

    @Test
    void anOwnerWhoSaysNothingLosesIt() {
        assertThat(claim("a", SHORT, Version.ZERO)).isInstanceOf(Claimed.Granted.class);
        pass(SHORT);
        await().pollInterval(Duration.ofMillis(10)).untilAsserted(() -> granted("b"));
        assertThat(await(leases().renew(key, "a", LONG))).isInstanceOf(Claimed.Held.class);
        assertThat(await(leases().release(key, "a"))).isEqualTo(Released.NOT_HELD);
        assertThat(claim("c", LONG, Version.ZERO)).isInstanceOf(Claimed.Held.class);
    }

    @Test
    void aRenewedLeaseOutlivesItsFirstTime() {
        assertThat(claim("a", SHORT, Version.ZERO)).isInstanceOf(Claimed.Granted.class);
        assertThat(await(leases().renew(key, "a", LONG))).isInstanceOf(Claimed.Granted.class);
        pass(SHORT.multipliedBy(2));
        assertThat(claim("b", LONG, Version.ZERO)).isInstanceOf(Claimed.Held.class);
        assertThat(await(leases().release(key, "a"))).isEqualTo(Released.WANTED);
        assertThat(await(leases().renew(key, "a", LONG))).isInstanceOf(Claimed.Held.class);
    }

    @Test
    void whatWasStoredMeanwhileIsSeenBeforeTheLeaseIs() {
        Version before = put(0).version();
        assertThat(claim("a", LONG, Version.ZERO)).isEqualTo(new Claimed.Changed(before));
        assertThat(claim("a", LONG, before)).isInstanceOf(Claimed.Granted.class);
        Version after = put(5).version();
        assertThat(claim("b", LONG, before)).isInstanceOf(Claimed.Changed.class);
        assertThat(claim("b", LONG, after)).isInstanceOf(Claimed.Held.class);
        assertThat(await(leases().release(key, "a"))).isEqualTo(Released.WANTED);
        assertThat(claim("b", LONG, before)).isInstanceOf(Claimed.Changed.class);
        assertThat(claim("b", LONG, new Version(after.clock() + 1, 0))).isInstanceOf(Claimed.Granted.class);
        assertThat(await(leases().release(key, "b"))).isEqualTo(Released.UNWANTED);
        assertThat(claim("c", LONG, null)).as("whatever is held").isInstanceOf(Claimed.Granted.class);
    }

    @Test
    void aBucketGivesItsBurstAndThenItsRate() {
        String bucket = "origin {x} " + UUID.randomUUID();
        Rate rate = new Rate(20, 5);
        assertThat(taken(bucket, 3, 0, rate).tokens()).isEqualTo(3);
        assertThat(taken(bucket, 9, 0, rate).tokens()).isEqualTo(2);
        Taken.Tokens none = taken(bucket, 1, 0, rate);
        assertThat(none.tokens()).isZero();
        assertThat(none.next()).isPositive().isLessThanOrEqualTo(Duration.ofMillis(50));
        pass(none.next());
        await().pollInterval(Duration.ofMillis(5))
                .untilAsserted(
                        () -> assertThat(taken(bucket, 1, 0, rate).tokens()).isEqualTo(1));
        assertThat(taken("another " + bucket, 1, 0, rate).tokens()).isEqualTo(1);
    }

    @Test
    void aBucketNeverHoldsMoreThanItsBurst() {
        String bucket = "b-" + UUID.randomUUID();
        Rate rate = new Rate(1_000, 4);
        assertThat(taken(bucket, 10, 0, rate).tokens()).isEqualTo(4);
        pass(Duration.ofMillis(50));
        assertThat(taken(bucket, 10, 0, rate).tokens()).isBetween(1, 4);
    }

    @Test
    void whoMattersLessLeavesSome() {
        String bucket = "b-" + UUID.randomUUID();
        Rate rate = new Rate(1, 8);
        assertThat(taken(bucket, 10, 6, rate).tokens()).isEqualTo(2);
        Taken.Tokens none = taken(bucket, 1, 6, rate);
        assertThat(none.tokens()).isZero();
        assertThat(none.next()).isPositive().isLessThanOrEqualTo(Duration.ofSeconds(1));
        assertThat(taken(bucket, 10, 0, rate).tokens()).isEqualTo(6);
        assertThat(taken(bucket, 10, 6, rate).tokens()).isZero();
    }

    private Taken.Tokens taken(String bucket, int wanted, int leave, Rate rate) {
        Taken taken = await(tier().rates().take(bucket, wanted, leave, rate));
        assertThat(taken).isInstanceOf(Taken.Tokens.class);
        return (Taken.Tokens) taken;
    }

    private Entry lasting(Version version, Duration ttl, String text) {
        long millis = InstantSource.system().millis();
        return new Entry(
                key,
                EntryKind.VALUE,
                version,
                1_000,
                millis + ttl.toMillis(),
                millis + ttl.toMillis() + 50,
                List.of("a tag"),
                text.getBytes(StandardCharsets.UTF_8));
    }

    private Lookup held() {
        return await(((Tier) tier()).get(key));
    }

    private Prolonged prolong(Entry entry) {
        return await(((Prolonging) tier()).prolong(entry));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100_000})
    void aLifeIsLengthenedUnderItsVersionAndNeverShortened(int length) {
        String text = "v".repeat(length);
        Version version = Entries.version(InstantSource.system().millis(), 1);
        Entry brief = lasting(version, SHORT, text);
        await(((Tier) tier()).put(brief, WriteCondition.IF_NEWER));
        Entry longer = lasting(version, LONG, text);
        assertThat(prolong(longer)).isEqualTo(Prolonged.DONE);
        assertThat(held()).isEqualTo(new Lookup.Hit(longer));
        assertThat(prolong(brief)).isEqualTo(Prolonged.DONE);
        pass(SHORT.multipliedBy(2));
        assertThat(held()).isEqualTo(new Lookup.Hit(longer));
        Entry forEver = new Entry(
                key,
                EntryKind.VALUE,
                version,
                longer.createdMillis(),
                Entry.FOREVER,
                Entry.FOREVER,
                longer.tags(),
                longer.payload());
        assertThat(prolong(forEver)).isEqualTo(Prolonged.DONE);
        assertThat(held()).isEqualTo(new Lookup.Hit(forEver));
    }

    @Test
    void nothingElseIsLengthened() {
        Version version = Entries.version(InstantSource.system().millis(), 2);
        Entry entry = lasting(version, LONG, "v");
        Entry longer = lasting(version, LONG.multipliedBy(2), "v");
        assertThat(prolong(longer)).isEqualTo(Prolonged.NOT_HELD);
        assertThat(held()).isEqualTo(Lookup.MISS);
        Entry older = lasting(new Version(version.clock() - 1, 2), LONG, "old");
        await(((Tier) tier()).put(older, WriteCondition.IF_NEWER));
        assertThat(prolong(longer)).isEqualTo(Prolonged.NOT_HELD);
        assertThat(held()).isEqualTo(new Lookup.Hit(older));
        Entry tombstone = Entry.tombstone(
                key,
                new Version(version.clock() + 1, 2),
                entry.createdMillis(),
                InstantSource.system().millis() + LONG.toMillis());
        await(((Tier) tier()).put(tombstone, WriteCondition.IF_NEWER));
        assertThat(prolong(longer)).isEqualTo(Prolonged.REPLACED);
        assertThat(held()).isEqualTo(new Lookup.Hit(tombstone));
    }
}
