package dev.terrace.spi;

/**
 * How far a restore is that goes on under a serving tier. Immutable.
 *
 * @param state how it stands
 * @param writers how many folders are brought back; 0 when that is not known yet
 * @param bytes how much has to come out of the repository; 0 when that is not known yet
 * @param bytesHere how much of it has come, and was compared with what was signed
 * @param parts into how many parts the work is divided; 0 when that is not known yet
 * @param partsDone how many of them the tier itself holds by now
 * @param entries how many entries it has taken over
 * @param expired how many were left out, because their time is over
 * @param unreadable how many could not be believed, or their key was destroyed
 * @param throughMillis everything committed up to this moment is in it, by the clock of the writer that is behind most; 0 when not known
 * @param failures tries that failed
 * @param trouble what the last of them failed at, which is tried again; empty when all goes well
 */
public record RestoreReport(
        State state,
        int writers,
        long bytes,
        long bytesHere,
        int parts,
        int partsDone,
        long entries,
        long expired,
        long unreadable,
        long throughMillis,
        long failures,
        String trouble) {
    /** How a restore stands. */
    public enum State {
        /** The repository was not reached yet. */
        WAITING,
        /** Under way. */
        RUNNING,
        /** The tier holds all of it. */
        DONE
    }
}
