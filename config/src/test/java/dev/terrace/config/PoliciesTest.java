package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PoliciesTest {
    private static Policies policies(String yaml) {
        return new Policies(SettingsLoader.parse("distributed_cache: " + yaml, "policies.yaml", Map.of())
                .settings());
    }

    @Test
    void theDefaultTimeToLiveIsThatOfTheRemoteTierIfThereIsOne() {
        assertThat(policies("{local_cache: {ttl: 3s}}").ofCache("any").ttl()).isEqualTo(Duration.ofSeconds(3));
        assertThat(policies("{local_cache: {ttl: 3s}, distributed_cache: {enabled: true, ttl: 9s}}")
                        .ofCache("any")
                        .ttl())
                .isEqualTo(Duration.ofSeconds(9));
    }

    @Test
    void theFirstMatchingClassWinsAndInheritsWhatItDoesNotSay() {
        Policies policies = policies("""
                {backup_storage: {enabled: true, durable: true},
                 caches: {quotes: {ttl: 30s, stale_ttl: 40s}},
                 classes: [{pattern: "quotes:hot:*", class: first, ttl: 1s},
                           {pattern: "hot:*", class: second, ttl: 2s, durable: false}]}""");

        assertThat(policies.of("quotes", () -> "hot:1"))
                .isEqualTo(new Policies.Policy(
                        "first", Duration.ofSeconds(1), Duration.ofSeconds(40), Duration.ZERO, true));
        assertThat(policies.of("other", () -> "hot:1"))
                .isEqualTo(new Policies.Policy("second", Duration.ofSeconds(2), Duration.ZERO, Duration.ZERO, false));
        assertThat(policies.of("quotes", () -> "cold").className()).isEmpty();
    }

    @Test
    void consistencyAndReplicationAreInheritedLikeTheRest() {
        Policies policies = policies("""
                {distributed_cache: {enabled: true, consistency_level: quorum, cluster_nodes: [a:1, b:1, c:1]},
                 caches: {quotes: {consistency: bounded, near_cache: {entries: 7}}},
                 classes: [{pattern: "tight:*", class: tight, staleness_bound: 50ms},
                           {pattern: "safe:*", class: safe, consistency: strict, replication: sync}]}""");

        Policies.Policy plain = policies.ofCache("other");
        assertThat(plain.consistency()).isEqualTo(Consistency.EVENTUAL);
        assertThat(plain.replication()).isEqualTo(ConsistencyLevel.QUORUM);
        assertThat(plain.nearCache()).isNull();
        Policies.Policy quotes = policies.ofCache("quotes");
        assertThat(quotes.consistency()).isEqualTo(Consistency.BOUNDED);
        assertThat(quotes.stalenessBound()).isEqualTo(Policies.DEFAULT_STALENESS_BOUND);
        Policies.Policy tight = policies.of("quotes", () -> "tight:1");
        assertThat(tight.consistency()).isEqualTo(Consistency.BOUNDED);
        assertThat(tight.stalenessBound()).isEqualTo(Duration.ofMillis(50));
        assertThat(tight.nearCache()).isEqualTo(new NearCacheSettings(7, null));
        Policies.Policy safe = policies.of("other", () -> "safe:1");
        assertThat(safe.consistency()).isEqualTo(Consistency.STRICT);
        assertThat(safe.replication()).isEqualTo(ConsistencyLevel.SYNC);
        assertThat(policies.all()).contains(plain, quotes, tight, safe);
    }

    @Test
    void withoutClassesTheKeyIsNotAskedForItsText() {
        Supplier<String> untouchable = () -> {
            throw new AssertionError("asked");
        };
        Policies policies = policies("{caches: {quotes: {ttl: 1s}}}");
        assertThat(policies.hasClasses()).isFalse();
        assertThat(policies.of("quotes", untouchable)).isSameAs(policies.ofCache("quotes"));
        assertThat(policies.of("other", untouchable)).isSameAs(policies.ofCache("another"));
    }

    @ParameterizedTest
    @CsvSource({
        "*, '', true", "*, anything, true", "user:*, user:, true", "user:*, user, false", "*:big, a:big, true",
        "*:big, a:bigger, false", "a*b*c, abc, true", "a*b*c, aXbYbZc, true", "a*b*c, acb, false", "**, x, true",
        "exact, exact, true", "exact, exactly, false", "a?c, abc, false", "a.c, abc, false", "[a], a, false"
    })
    void onlyTheStarIsSpecial(String pattern, String text, boolean matches) {
        assertThat(Policies.matches(pattern, text)).isEqualTo(matches);
    }

    @Test
    @Timeout(5)
    void theWorstPatternAndKeyTakeBoundedTime() {
        String pattern = "*a".repeat(128) + "b";
        assertThat(Policies.matches(pattern, "a".repeat(65_535))).isFalse();
    }
}
