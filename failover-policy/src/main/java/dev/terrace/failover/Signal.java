package dev.terrace.failover;

/**
 * What one part of a deployment is judged to be.
 *
 * @param state the judgement
 * @param cause why, for people; empty when there is nothing to say
 * @param sinceMillis since when, by the clock of whoever judges
 */
public record Signal(State state, String cause, long sinceMillis) {
    /** There is no such part. */
    public static final Signal ABSENT = new Signal(State.ABSENT, "", 0);

    /** The judgement. */
    public enum State {
        /** There is no such part, and nothing waits for it. */
        ABSENT,
        /** It works. */
        UP,
        /** It works, but not well. */
        SLOW,
        /** It does not work. */
        DOWN,
        /** Nobody can say: not asked yet, being tried, or the question was spoilt by a pause of this process. */
        UNKNOWN
    }

    /** A part that works. */
    public static Signal up(long sinceMillis) {
        return new Signal(State.UP, "", sinceMillis);
    }

    /** A part that does not. */
    public static Signal down(String cause, long sinceMillis) {
        return new Signal(State.DOWN, cause, sinceMillis);
    }

    /** A part of which nobody can say. */
    public static Signal unknown(String cause, long sinceMillis) {
        return new Signal(State.UNKNOWN, cause, sinceMillis);
    }

    boolean is(State wanted) {
        return state == wanted;
    }

    /** As people read it: {@code down: no answer within 250 ms}. */
    public String text() {
        String name = state.name().toLowerCase(java.util.Locale.ROOT);
        return cause.isEmpty() ? name : name + ": " + cause;
    }
}
