package dev.terrace.core;

import dev.terrace.api.AsyncWriter;
import dev.terrace.api.BulkWriter;
import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.WriteChange;
import dev.terrace.api.WriteContext;
import dev.terrace.api.Writer;
import dev.terrace.core.origin.OriginCall;
import dev.terrace.core.origin.OriginTarget;
import dev.terrace.core.origin.WriteAnswer;
import dev.terrace.spi.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Users' writers, told of bytes: decodes keys and values. */
final class Targets {
    private Targets() {}

    private static WriteContext context(OriginCall call) {
        return new WriteContext(call.entry().version(), call.attempt());
    }

    private static <V> @Nullable V value(Coding<?, V> coding, Entry entry) {
        if (!entry.isValue()) {
            return null;
        }
        V value = coding.decode(entry);
        if (value == null) {
            throw new RejectedWriteException("the codec of cache '"
                    + entry.key().cache() + "' cannot read back the value that was to be written");
        }
        return value;
    }

    /** One that takes writes one by one. */
    static <K, V> OriginTarget of(Coding<K, V> coding, Writer<? super K, ? super V> writer) {
        return new One<>(coding, writer);
    }

    private record One<K, V>(Coding<K, V> coding, Writer<? super K, ? super V> writer)
            implements OriginTarget.Blocking {
        @Override
        public boolean takesMany() {
            return false;
        }

        @Override
        public List<WriteAnswer> write(List<OriginCall> calls) throws Exception {
            List<WriteAnswer> answers = new ArrayList<>(calls.size());
            for (OriginCall call : calls) {
                K key = coding.decodeKey(call.entry().key());
                V value = value(coding, call.entry());
                if (value == null) {
                    writer.delete(key, context(call));
                } else {
                    writer.write(key, value, context(call));
                }
                answers.add(WriteAnswer.TAKEN);
            }
            return answers;
        }
    }

    /** One that holds no thread. */
    static <K, V> OriginTarget of(Coding<K, V> coding, AsyncWriter<? super K, ? super V> writer) {
        return new Held<>(coding, writer);
    }

    private record Held<K, V>(Coding<K, V> coding, AsyncWriter<? super K, ? super V> writer)
            implements OriginTarget.Async {
        @Override
        public boolean takesMany() {
            return false;
        }

        @Override
        public CompletionStage<List<WriteAnswer>> write(List<OriginCall> calls) {
            OriginCall call = calls.get(0);
            K key = coding.decodeKey(call.entry().key());
            V value = value(coding, call.entry());
            CompletionStage<?> stage =
                    value == null ? writer.delete(key, context(call)) : writer.write(key, value, context(call));
            return stage.thenApply(done -> List.of(WriteAnswer.TAKEN));
        }
    }

    /** One that takes many at once. */
    static <K, V> OriginTarget of(Coding<K, V> coding, BulkWriter<K, V> writer) {
        return new Many<>(coding, writer);
    }

    private record Many<K, V>(Coding<K, V> coding, BulkWriter<K, V> writer) implements OriginTarget.Blocking {
        @Override
        public boolean takesMany() {
            return true;
        }

        @Override
        public List<WriteAnswer> write(List<OriginCall> calls) throws Exception {
            WriteAnswer[] answers = new WriteAnswer[calls.size()];
            List<WriteChange<K, V>> changes = new ArrayList<>();
            for (int i = 0; i < answers.length; i++) {
                OriginCall call = calls.get(i);
                try {
                    changes.add(new WriteChange<>(
                            coding.decodeKey(call.entry().key()), value(coding, call.entry()), context(call)));
                } catch (RejectedWriteException e) {
                    // One that cannot be read back must not hold up the others.
                    answers[i] = WriteAnswer.of(e);
                }
            }
            // Keys by content: an array as a key is equal to itself only, and that is what the writer was given.
            Map<K, Exception> failures =
                    changes.isEmpty() ? Map.of() : new HashMap<>(writer.writeAll(List.copyOf(changes)));
            int next = 0;
            for (int i = 0; i < answers.length; i++) {
                if (answers[i] == null) {
                    Exception failure = failures.get(changes.get(next++).key());
                    answers[i] = failure == null ? WriteAnswer.TAKEN : WriteAnswer.of(failure);
                }
            }
            return List.of(answers);
        }
    }
}
