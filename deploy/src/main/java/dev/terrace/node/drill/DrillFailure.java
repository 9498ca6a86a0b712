package dev.terrace.node.drill;

/** What was broken did not come back; the message says what was tried and what it said. */
final class DrillFailure extends Exception {
    private static final long serialVersionUID = 1L;

    DrillFailure(String message) {
        super(message);
    }
}
