package dev.terrace.api;

import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a loader says: a value, that there is none, or that the old one is still right; and for how long and under which tags and class
 * that is kept. Immutable: {@code Loaded.value(quote).withTtl(Duration.ofSeconds(5)).withTags("market:eu")}.
 *
 * @param <V> the values
 */
public final class Loaded<V> {
    private final Kind kind;
    private final @Nullable V value;
    private final @Nullable Duration ttl;
    private final @Nullable Set<String> tags;
    private final @Nullable String className;

    /** Which of the three it is. */
    public enum Kind {
        /** There is a value. */
        VALUE,
        /** The origin has none. */
        NOT_FOUND,
        /** The origin has what the tiers hold. */
        NOT_CHANGED
    }

    private Loaded(
            Kind kind,
            @Nullable V value,
            @Nullable Duration ttl,
            @Nullable Set<String> tags,
            @Nullable String className) {
        this.kind = kind;
        this.value = value;
        this.ttl = ttl;
        this.tags = tags;
        this.className = className;
    }

    /** The origin's value. */
    public static <V> Loaded<V> value(V value) {
        return new Loaded<>(Kind.VALUE, Objects.requireNonNull(value, "value"), null, null, null);
    }

    /** The origin's value, or none when it is null. */
    public static <V> Loaded<V> ofNullable(@Nullable V value) {
        return value == null ? notFound() : value(value);
    }

    /** The origin has no value; remembered for {@code negative_ttl} or {@link #withTtl}. */
    public static <V> Loaded<V> notFound() {
        return new Loaded<>(Kind.NOT_FOUND, null, null, null, null);
    }

    /**
     * The old value of the {@link LoadContext} is what the origin has: it is fresh again, as if it had been loaded now. Without an old
     * value the load fails.
     */
    public static <V> Loaded<V> notChanged() {
        return new Loaded<>(Kind.NOT_CHANGED, null, null, null, null);
    }

    /**
     * The same, fresh for so long; of {@link #notFound()}, believed for so long, where zero does not remember it at all.
     *
     * @throws BadInputException when it is negative, longer than {@link WriteOptions#LONGEST_TTL}, or zero for a value
     */
    public Loaded<V> withTtl(Duration newTtl) {
        if (kind != Kind.NOT_FOUND || !newTtl.isZero()) {
            WriteOptions.DEFAULTS.withTtl(newTtl);
        }
        return new Loaded<>(kind, value, newTtl, tags, className);
    }

    /**
     * The same with these tags, over those of the call; without this, {@link #notChanged()} goes on with the old tags.
     *
     * @throws BadInputException for tags that cannot be; see {@link WriteOptions#check}
     */
    public Loaded<V> withTags(String... newTags) {
        return withTags(Set.of(newTags));
    }

    /** As {@link #withTags(String...)}. */
    public Loaded<V> withTags(Collection<String> newTags) {
        return new Loaded<>(
                kind, value, ttl, WriteOptions.DEFAULTS.withTags(newTags).tags(), className);
    }

    /** The same, kept as the settings say for the class of that name, whatever the key; the load fails when there is no such class. */
    public Loaded<V> withClass(String newClass) {
        return new Loaded<>(kind, value, ttl, tags, newClass);
    }

    /** Which of the three it is. */
    public Kind kind() {
        return kind;
    }

    /** The value; null unless there is one. */
    public @Nullable V value() {
        return value;
    }

    /** How long it is kept; null for what the settings say. */
    public @Nullable Duration ttl() {
        return ttl;
    }

    /** Its tags; null when the loader named none. */
    public @Nullable Set<String> tags() {
        return tags;
    }

    /** The class whose settings it is kept by; null for the key's own. */
    public @Nullable String className() {
        return className;
    }

    @Override
    public String toString() {
        return kind + (ttl == null ? "" : " for " + ttl);
    }
}
