package dev.terrace.testkit.blob;

/** The process that used a {@link HeapBlobStore} is dead. An error, so that nothing but the test catches it. */
public final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimulatedCrash(String message) {
        super(message);
    }
}
