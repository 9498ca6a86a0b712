package dev.terrace.tier.backup.repo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys whose signatures are believed, and the one that new generations are signed with. Immutable. */
public final class RepositoryKeys {
    private final SigningKey current;
    private final Map<String, SigningKey> trusted = new LinkedHashMap<>();

    /** Trusts {@code current} and {@code older}. */
    public RepositoryKeys(SigningKey current, List<SigningKey> older) {
        this.current = current;
        older.forEach(key -> trusted.put(key.id(), key));
        trusted.put(current.id(), current);
    }

    /** Of a plain folder: damage is found, forgery is not. */
    public static RepositoryKeys plain() {
        return new RepositoryKeys(SigningKey.PLAIN, List.of());
    }

    /** What new generations are signed with. */
    public SigningKey current() {
        return current;
    }

    @Nullable
    SigningKey find(String id) {
        return trusted.get(id);
    }
}
