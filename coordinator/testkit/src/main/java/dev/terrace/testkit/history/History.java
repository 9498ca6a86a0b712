package dev.terrace.testkit.history;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Operations of several processes on several keys, ordered by the time they were invoked. Immutable, thread-safe.
 *
 * <p>Kept in files as JSON lines, one operation a line, for example
 *
 * <pre>{@code
 * {"id":4,"process":"p1","node":"n1","op":"put","key":"k","value":"v7","invoke":1200,"return":1900,"outcome":"ok"}
 * }</pre>
 *
 * Further members, present when they say something: {@code expected}, {@code expected_version}, {@code delta}; and of the
 * answer {@code seen}, {@code version}, {@code applied} (when false), {@code fresh} (when false). An unknown operation has no
 * {@code return}.
 */
public final class History {
    private final List<Operation> operations;

    private History(List<Operation> sorted) {
        operations = sorted;
    }

    /** The history of these operations. */
    public static History of(Collection<Operation> operations) {
        return new History(operations.stream()
                .sorted(Comparator.comparingLong(Operation::invokeNanos).thenComparingInt(Operation::id))
                .toList());
    }

    /** The operations, by time of invocation. */
    public List<Operation> operations() {
        return operations;
    }

    /** How many operations there are. */
    public int size() {
        return operations.size();
    }

    /** The operations of each key, keys by first use. */
    public Map<String, List<Operation>> byKey() {
        Map<String, List<Operation>> byKey = new LinkedHashMap<>();
        for (Operation operation : operations) {
            byKey.computeIfAbsent(operation.key(), absent -> new ArrayList<>()).add(operation);
        }
        return byKey;
    }

    /** The part that {@code wanted} accepts. */
    public History filter(Predicate<Operation> wanted) {
        return new History(operations.stream().filter(wanted).toList());
    }

    /**
     * The same with no version told by any answer, for judging values alone: where one value may be stored again under
     * another version, say. Conditions on versions then neither hold nor fail for certain.
     */
    public History withoutVersions() {
        return new History(operations.stream().map(Operation::withoutVersion).toList());
    }

    /**
     * Writes JSON lines.
     *
     * @throws UncheckedIOException when that fails
     */
    public void writeTo(Path file) {
        try (Writer out = Files.newBufferedWriter(file)) {
            writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes JSON lines; leaves {@code out} open. */
    public void writeTo(Writer out) throws IOException {
        HistoryJson.write(operations, out);
    }

    /**
     * Reads JSON lines.
     *
     * @throws UncheckedIOException when the file cannot be read or is no history; the message names the line
     */
    public static History readFrom(Path file) {
        try (BufferedReader in = Files.newBufferedReader(file)) {
            return readFrom(in);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": " + e.getMessage(), e);
        }
    }

    /** Reads JSON lines to the end. */
    public static History readFrom(Reader in) throws IOException {
        return of(HistoryJson.read(new BufferedReader(in)));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof History that && operations.equals(that.operations);
    }

    @Override
    public int hashCode() {
        return operations.hashCode();
    }

    /** A timeline for people: see {@link Violation}. */
    @Override
    public String toString() {
        return Timeline.draw(operations);
    }
}
