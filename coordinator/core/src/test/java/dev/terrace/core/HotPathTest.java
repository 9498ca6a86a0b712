package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.terrace.api.Cache;
import dev.terrace.api.Codec;
import dev.terrace.api.Codecs;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** A warm hit in L1 allocates the value and next to nothing else. */
class HotPathTest {
    private static final int CALLS = 20_000;
    private static final long MOST_EXTRA_BYTES = 64;

    /** Decodes to one and the same object, so that everything allocated is the cache's doing. */
    private static final class Constant implements Codec<String> {
        @Override
        public byte[] encode(String value) {
            return new byte[128];
        }

        @Override
        public String decode(byte[] bytes, int offset, int length) {
            return "constant";
        }
    }

    @Test
    void aHitAllocatesAtMost64BytesBesideTheValue() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.coordinator.cache("quotes", Codecs.stringKey(), new Constant());
            cache.put("key", "constant");
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long thread = Thread.currentThread().getId();
            for (int warmUp = 0; warmUp < 3; warmUp++) {
                hits(cache);
            }
            long before = threads.getThreadAllocatedBytes(thread);
            hits(cache);
            long perHit = (threads.getThreadAllocatedBytes(thread) - before) / CALLS;
            System.out.println("HotPathTest bytes_per_hit=" + perHit);
            assertThat(perHit).isLessThanOrEqualTo(MOST_EXTRA_BYTES);
            assertThat(stack.counter("cache.quotes.hits.l1")).isEqualTo(4L * CALLS);
            assertThat(stack.metrics.timer("cache.quotes.get.l1.sampled").getCount())
                    .isPositive();
        }
    }

    private static void hits(Cache<String, String> cache) {
        for (int i = 0; i < CALLS; i++) {
            if (cache.get("key") == null) {
                throw new AssertionError("must be a hit");
            }
        }
    }
}
