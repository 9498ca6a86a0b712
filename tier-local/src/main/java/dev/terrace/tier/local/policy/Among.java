package dev.terrace.tier.local.policy;

import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;

/** Some of the residents: those who may go. Used under the lock of who asks for a victim. */
public interface Among {
    /** Whether the resident of {@code slot} is one of them. */
    boolean has(int slot);

    /** One of them, each as likely as any other; -1 when there is none. */
    int any(RandomGenerator random);

    /** Of {@code draws} of them, drawn at random, the one with the least value; -1 when there is none. */
    default int least(int draws, RandomGenerator random, IntToDoubleFunction value) {
        int chosen = any(random);
        double least = chosen < 0 ? 0 : value.applyAsDouble(chosen);
        for (int draw = 1; draw < draws && chosen >= 0; draw++) {
            int slot = any(random);
            double its = value.applyAsDouble(slot);
            if (its < least) {
                chosen = slot;
                least = its;
            }
        }
        return chosen;
    }
}
