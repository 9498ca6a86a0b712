package dev.terrace.tier.backup.repo;

/** Faults that the simulation must find. */
enum RepositoryMutant {
    NONE,
    /** A prune deletes without raising the boundary first. */
    NO_BOUNDARY,
    /** A prune deletes and then says so. */
    DELETE_BEFORE_PUBLISHING,
    /** What exists is decided by what a listing shows. */
    LISTING_DECIDES,
    /** Who has published does not look at the boundary afterwards. */
    NO_CHECK_AFTER_PUBLISHING,
    /** A prune deletes uploads that may yet be published. */
    OPEN_EPOCHS_COLLECTED
}
