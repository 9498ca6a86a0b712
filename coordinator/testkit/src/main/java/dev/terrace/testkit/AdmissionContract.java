package dev.terrace.testkit;

import static dev.terrace.testkit.Entries.text;
import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static dev.terrace.testkit.Stages.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which zones vote: those that were admitted, and have forgotten nothing since. The first part of {@link ReplicaContract}. */
public abstract class AdmissionContract extends TierContract {
    static final Duration KEEP = Duration.ofSeconds(30);

    private final List<Replica> opened = new ArrayList<>();

    /** Where the zone stood before it was admitted, and how it voted. */
    private @Nullable Standing atFirst;

    private @Nullable Lookup firstVote;

    @SuppressWarnings("NullAway.Init") // set before each test
    Replica zone;

    private int aboveAll = 1_000_000;

    /** Opens a zone that is reachable, empty, was never admitted and reads {@code clock}. */
    protected abstract Replica openZone() throws Exception;

    /** Opens the zone of the last {@link #openZone} once more, as another node does; reachable. */
    protected abstract Replica openAgain() throws Exception;

    /** Makes the zone of the last {@link #openZone} forget that it was admitted, without losing what it holds. */
    protected abstract void forget() throws Exception;

    @Override
    protected final Tier openTier() throws Exception {
        zone = openZone();
        atFirst = await(zone.examine());
        firstVote = await(zone.vote(key("first")));
        assertThat(admit(zone)).as("admitted").isTrue();
        return zone;
    }

    /** Closes what the test opened. */
    @AfterEach
    protected final void closeOthers() {
        opened.forEach(Replica::close);
    }

    Replica again() throws Exception {
        Replica other = openAgain();
        opened.add(other);
        return other;
    }

    static String token() {
        return UUID.randomUUID().toString();
    }

    static boolean admit(Replica node) {
        String token = token();
        return await(node.begin(token)) && await(node.admit(token));
    }

    static CacheKey key(String text) {
        return CacheKey.of("zone", text);
    }

    Version above() {
        return version(clock.millis() + (++aboveAll >> 16), aboveAll & 0xFFFF);
    }

    Entry entry(CacheKey key, Version version) {
        return value(key, version, clock.millis(), TTL, "at " + version);
    }

    Promise promise(CacheKey key, Version version) {
        return await(zone.promise(key, version, KEEP));
    }

    static Lookup hit(Entry entry) {
        return new Lookup.Hit(entry);
    }

    @Test
    void aZoneIsNewAndDoesNotVoteUntilItIsAdmitted() {
        assertThat(atFirst).isEqualTo(Standing.NEW);
        assertThat(firstVote)
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL));
        assertThat(await(zone.examine())).isEqualTo(Standing.MEMBER);
        assertThat(await(zone.vote(key("first")))).isEqualTo(Lookup.MISS);
        assertThat(zone.zone()).isNotEmpty();
    }

    @Test
    void anotherNodeLearnsOfTheAdmissionInTheZone() throws Exception {
        Replica other = again();
        Entry entry = entry(key("shared"), above());
        assertThat(put(entry)).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(other.vote(entry.key()))).isEqualTo(hit(entry));
        assertThat(await(other.examine())).isEqualTo(Standing.MEMBER);
        assertThat(admit(zone)).isTrue();
        Entry later = entry(key("shared"), above());
        assertThat(await(other.put(later, WriteCondition.IF_NEWER))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.vote(entry.key()))).isEqualTo(hit(later));
    }

    @Test
    @Tag("F03")
    void whatForgotTakesNoPartUntilItIsAdmittedAgain() throws Exception {
        Replica other = again();
        CacheKey key = key("forgotten");
        Entry before = entry(key, above());
        assertThat(put(before)).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(other.vote(key))).isEqualTo(hit(before));
        forget();
        for (Replica node : List.of(zone, other)) {
            assertThat(await(node.examine())).isEqualTo(Standing.FORGETFUL);
            assertForgetful(node, key);
            assertThat(await(node.get(key))).as("the plain read").isNotInstanceOf(Lookup.Unavailable.class);
        }
        Entry restored = entry(key, above());
        assertThat(await(zone.restore(restored))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(await(zone.restore(before))).isEqualTo(new StoreOutcome.Superseded(restored.version()));
        assertThat(await(zone.restore(restored))).isEqualTo(StoreOutcome.APPLIED);
        assertForgetful(other, key);
        assertThat(admit(other)).isTrue();
        for (Replica node : List.of(zone, other)) {
            assertThat(await(node.vote(key))).isEqualTo(hit(restored));
            assertThat(await(node.examine())).isEqualTo(Standing.MEMBER);
        }
    }

    @Test
    @Tag("F05")
    void aFillingThatTheZoneForgotDoesNotEndInAnAdmission() throws Exception {
        Replica other = again();
        CacheKey key = key("filled");
        Entry filled = entry(key, above());
        forget();
        String lost = token();
        assertThat(await(zone.begin(lost))).isTrue();
        assertThat(await(zone.restore(filled))).isEqualTo(StoreOutcome.APPLIED);
        assertForgetful(zone, key);
        forget();
        assertThat(await(zone.admit(lost))).as("forgot since it began").isFalse();
        assertThat(await(zone.admit(lost))).as("asked again").isFalse();
        assertThat(await(zone.examine())).isEqualTo(Standing.FORGETFUL);
        assertForgetful(zone, key);
        assertForgetful(other, key);
        String token = token();
        assertThat(await(zone.begin(token))).isTrue();
        assertThat(await(other.begin(token())))
                .as("another node's, at the same time")
                .isTrue();
        assertThat(await(zone.admit(lost))).as("an older one").isFalse();
        assertThat(await(zone.admit(token))).isTrue();
        assertThat(await(other.vote(key))).isInstanceOf(Lookup.Hit.class);
    }

    @Test
    @Tag("F05")
    void aZoneIsFilledWithThePromisesOfOthersToo() throws Exception {
        CacheKey key = key("promised elsewhere");
        Version lower = above();
        Version promised = above();
        forget();
        String token = token();
        assertThat(await(zone.begin(token))).isTrue();
        assertThat(await(zone.restorePromise(key, promised, KEEP))).isTrue();
        assertThat(await(zone.restorePromise(key, lower, KEEP)))
                .as("a lower one changes nothing")
                .isTrue();
        assertThat(await(zone.admit(token))).isTrue();
        assertThat(await(zone.query(key))).isEqualTo(new Ballot.Known(promised));
        assertThat(await(zone.put(entry(key, lower), WriteCondition.IF_NEWER)))
                .isEqualTo(new StoreOutcome.Promised(promised));
        assertThat(await(zone.put(entry(key, above()), WriteCondition.IF_NEWER)))
                .isInstanceOf(StoreOutcome.Applied.class);
    }

    @Test
    void withoutABeginningThereIsNoAdmission() throws Exception {
        assertThat(await(zone.admit(token()))).isFalse();
        assertThat(await(zone.examine())).as("a member all the same").isEqualTo(Standing.MEMBER);
        forget();
        assertThat(await(zone.admit(token()))).isFalse();
        assertThat(await(zone.examine())).isEqualTo(Standing.FORGETFUL);
        assertThat(admit(zone)).isTrue();
        assertThat(admit(zone)).as("a member is admitted anew").isTrue();
        assertThat(await(zone.examine())).isEqualTo(Standing.MEMBER);
    }

    private void assertForgetful(Replica node, CacheKey key) {
        Entry entry = entry(key, above());
        assertThat(await(node.vote(key)))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL));
        assertThat(await(node.query(key)))
                .isInstanceOfSatisfying(
                        Ballot.Unknown.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL));
        assertThat(await(node.promise(key, above(), KEEP)))
                .isInstanceOfSatisfying(
                        Promise.Unknown.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL));
        List<StoreOutcome> outcomes = new ArrayList<>(await(node.putAll(List.of(entry, entry(key("two"), above())))));
        outcomes.add(await(node.accept(entry)));
        for (WriteCondition condition : List.of(
                WriteCondition.IF_NEWER, WriteCondition.IF_ABSENT, new WriteCondition.IfVersion(entry.version()))) {
            outcomes.add(await(node.put(entry, condition)));
        }
        assertThat(outcomes)
                .hasSize(6)
                .allSatisfy(outcome -> assertThat(outcome)
                        .isInstanceOfSatisfying(
                                StoreOutcome.Unavailable.class,
                                no -> assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL)));
    }
}
