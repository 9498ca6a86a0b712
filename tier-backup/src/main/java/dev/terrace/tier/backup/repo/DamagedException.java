package dev.terrace.tier.backup.repo;

/** A blob of a repository is not what it must be. */
public final class DamagedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Problem.Kind kind;
    private final String blob;

    DamagedException(Problem.Kind kind, String blob, String detail) {
        super(blob + ": " + detail);
        this.kind = kind;
        this.blob = blob;
    }

    /** What is wrong. */
    public Problem.Kind kind() {
        return kind;
    }

    /** Which blob. */
    public String blob() {
        return blob;
    }
}
