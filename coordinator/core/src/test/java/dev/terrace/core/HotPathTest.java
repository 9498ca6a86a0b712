package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codec;
import dev.terrace.api.Codecs;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

    @Test
    void aHitIntoABufferAllocatesAtMost64Bytes() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, byte[]> cache = stack.coordinator.cache("quotes", Codecs.stringKey(), Codecs.bytes());
            cache.put("key", new byte[1_000]);
            ByteBuffer into = ByteBuffer.allocate(1_000);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long thread = Thread.currentThread().getId();
            for (int warmUp = 0; warmUp < 3; warmUp++) {
                copies(cache, into);
            }
            long before = threads.getThreadAllocatedBytes(thread);
            copies(cache, into);
            long perHit = (threads.getThreadAllocatedBytes(thread) - before) / CALLS;
            System.out.println("HotPathTest bytes_per_copied_hit=" + perHit);
            assertThat(perHit).isLessThanOrEqualTo(MOST_EXTRA_BYTES);
            assertThat(stack.counter("cache.quotes.hits.l1")).isEqualTo(4L * CALLS);
        }
    }

    @Test
    void bytesAreCopiedFromWhereverTheyAre() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("key", "value");
            ByteBuffer into = ByteBuffer.allocate(20).position(2);
            assertThat(cache.read("key", into)).isEqualTo(5);
            assertThat(into.position()).isEqualTo(7);
            assertThat(new String(into.array(), 2, 5, StandardCharsets.UTF_8)).isEqualTo("value");
            assertThat(cache.read("nobody", into)).isEqualTo(-1);
            assertThat(into.position()).isEqualTo(7);
            stack.local.drop(Stack.key("key"));
            assertThat(cache.read("key", into)).isEqualTo(5);
            assertThat(new String(into.array(), 7, 5, StandardCharsets.UTF_8)).isEqualTo("value");
        }
    }

    @Test
    void aBufferThatIsTooSmallSaysHowMuchItTakes() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("key", "value");
            ByteBuffer into = ByteBuffer.allocate(4);
            assertThatThrownBy(() -> cache.read("key", into))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("value of 5 bytes")
                    .hasMessageContaining("4 that remain");
            assertThat(into.position()).isZero();
        }
    }

    private static void copies(Cache<String, byte[]> cache, ByteBuffer into) {
        for (int i = 0; i < CALLS; i++) {
            if (cache.read("key", into.clear()) != 1_000) {
                throw new AssertionError("must be a hit");
            }
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
