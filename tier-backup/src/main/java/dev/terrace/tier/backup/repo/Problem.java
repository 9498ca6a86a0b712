package dev.terrace.tier.backup.repo;

import java.util.List;

/**
 * Something that is wrong in a repository.
 *
 * @param kind what
 * @param blob where
 * @param detail for people
 * @param hurts restore points that cannot be relied on because of it, as {@code list} names them
 */
public record Problem(Kind kind, String blob, String detail, List<String> hurts) {
    /** What can be wrong. */
    public enum Kind {
        /** It is not there. */
        MISSING,
        /** It is shorter or longer than it must be. */
        WRONG_LENGTH,
        /** Its bytes are not those that were stored. */
        WRONG_BYTES,
        /** It cannot be read as what it should be. */
        MALFORMED,
        /** A later version of this program wrote it. */
        UNKNOWN_FORMAT,
        /** The key that signed it is not among those that are trusted. */
        UNKNOWN_KEY,
        /** Its signature does not fit its bytes: it was edited. */
        BAD_SIGNATURE,
        /** It was written for another place: swapped, duplicated or re-ordered. */
        WRONG_PLACE,
        /** It does not follow what is before it. */
        BROKEN_CHAIN,
        /** The repository is older than it was once seen to be. */
        ROLLED_BACK
    }

    /** Copies. */
    public Problem {
        hurts = List.copyOf(hurts);
    }
}
