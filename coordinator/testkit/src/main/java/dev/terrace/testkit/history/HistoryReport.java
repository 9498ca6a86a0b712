package dev.terrace.testkit.history;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Collects what was found out about one run, and writes it to a folder: {@code history.jsonl}, {@code verdict.json} and, for people,
 * {@code verdict.txt}. Not thread-safe.
 */
public final class HistoryReport {
    private final String title;
    private final History history;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final Map<String, Verdict> verdicts = new LinkedHashMap<>();
    private final Map<String, Verdict> observations = new LinkedHashMap<>();

    /** About this history. */
    public HistoryReport(String title, History history) {
        this.title = title;
        this.history = history;
    }

    /** The verdict on linearizability from the cheaper checker that can decide it, key by key. */
    public static Verdict linearizable(History history, CheckLimits limits) {
        List<Verdict> verdicts = new ArrayList<>();
        UniqueWriteChecker quick = new UniqueWriteChecker();
        LinearizabilityChecker thorough = new LinearizabilityChecker(limits);
        history.byKey().values().forEach(operations -> {
            History one = History.of(operations);
            Verdict verdict = quick.check(one);
            verdicts.add(verdict instanceof Verdict.Undecided ? thorough.check(one) : verdict);
        });
        return Verdict.all(verdicts);
    }

    /** Something worth knowing: the seed, the faults, a count. */
    public HistoryReport fact(String name, Object value) {
        facts.put(name, String.valueOf(value));
        return this;
    }

    /** What a checker said of a promise. */
    public HistoryReport verdict(String promise, Verdict verdict) {
        verdicts.put(promise, verdict);
        return this;
    }

    /** What a checker said of something that is not promised, but worth watching: told, never complained about. */
    public HistoryReport observation(String what, Verdict verdict) {
        observations.put(what, verdict);
        return this;
    }

    /** Everything but the history, for people. */
    public String text() {
        StringBuilder text = new StringBuilder(title).append('\n');
        text.append("operations: ")
                .append(history.size())
                .append(' ')
                .append(counts())
                .append('\n');
        facts.forEach(
                (name, value) -> text.append(name).append(": ").append(value).append('\n'));
        verdicts.forEach((promise, verdict) ->
                text.append(promise).append(": ").append(verdict).append('\n'));
        observations.forEach((what, verdict) -> text.append("not promised: ")
                .append(what)
                .append(": ")
                .append(verdict)
                .append('\n'));
        return text.toString();
    }

    private Map<String, Long> counts() {
        Map<String, Long> counts = new LinkedHashMap<>();
        for (Outcome outcome : Outcome.values()) {
            counts.put(
                    outcome.name().toLowerCase(java.util.Locale.ROOT),
                    history.operations().stream()
                            .filter(operation -> operation.outcome() == outcome)
                            .count());
        }
        return counts;
    }

    /**
     * Writes the three files; the folder is made.
     *
     * @throws UncheckedIOException when that fails
     */
    public HistoryReport writeTo(Path folder) {
        try {
            Files.createDirectories(folder);
            history.writeTo(folder.resolve("history.jsonl"));
            Files.writeString(folder.resolve("verdict.txt"), text());
            try (Writer out = Files.newBufferedWriter(folder.resolve("verdict.json"))) {
                out.write(json());
            }
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String json() throws IOException {
        StringWriter out = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("title", title);
            json.writeObjectFieldStart("operations");
            for (Map.Entry<String, Long> count : counts().entrySet()) {
                json.writeNumberField(count.getKey(), count.getValue());
            }
            json.writeEndObject();
            json.writeObjectFieldStart("facts");
            for (Map.Entry<String, String> fact : facts.entrySet()) {
                json.writeStringField(fact.getKey(), fact.getValue());
            }
            json.writeEndObject();
            write("verdicts", verdicts, json);
            write("observations", observations, json);
            json.writeEndObject();
        }
        return out.append('\n').toString();
    }

    private static void write(String name, Map<String, Verdict> verdicts, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, Verdict> verdict : verdicts.entrySet()) {
            json.writeFieldName(verdict.getKey());
            write(verdict.getValue(), json);
        }
        json.writeEndObject();
    }

    private static void write(Verdict verdict, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("verdict", verdict.holds() ? "holds" : verdict.isViolated() ? "violated" : "undecided");
        if (verdict instanceof Verdict.Holds holds) {
            json.writeNumberField("judged", holds.judged());
            json.writeNumberField("skipped", holds.skipped());
        } else if (verdict instanceof Verdict.Undecided undecided) {
            json.writeArrayFieldStart("reasons");
            for (String reason : undecided.reasons()) {
                json.writeString(reason);
            }
            json.writeEndArray();
        }
        if (verdict.isViolated()) {
            json.writeArrayFieldStart("violations");
            for (Violation violation : verdict.violations()) {
                json.writeStartObject();
                json.writeStringField("key", violation.key());
                json.writeStringField("reason", violation.reason());
                json.writeArrayFieldStart("evidence");
                for (Operation operation : violation.evidence().operations()) {
                    HistoryJson.write(operation, json);
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        json.writeEndObject();
    }

    /** The first promise that was not kept, for a test to fail with; null when all were. */
    public @Nullable String complaint() {
        return verdicts.values().stream().allMatch(Verdict::holds) ? null : text();
    }

    /**
     * Asks that every promise holds.
     *
     * @throws AssertionError with the whole text, otherwise
     */
    public void require() {
        String complaint = complaint();
        if (complaint != null) {
            throw new AssertionError(complaint);
        }
    }
}
