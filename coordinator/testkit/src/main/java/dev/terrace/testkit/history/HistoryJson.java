package dev.terrace.testkit.history;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.terrace.spi.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON lines of {@link History}. */
final class HistoryJson {
    private static final JsonFactory JSON = new JsonFactory();

    private HistoryJson() {}

    static void write(List<Operation> operations, Writer out) throws IOException {
        for (Operation operation : operations) {
            StringWriter line = new StringWriter(160);
            try (JsonGenerator json = JSON.createGenerator(line)) {
                write(operation, json);
            }
            out.append(line.getBuffer()).append('\n');
        }
    }

    static void write(Operation operation, JsonGenerator json) throws IOException {
        Op op = operation.op();
        json.writeStartObject();
        json.writeNumberField("id", operation.id());
        json.writeStringField("process", operation.process());
        json.writeStringField("node", operation.node());
        json.writeStringField("op", name(op.kind()));
        json.writeStringField("key", op.key());
        text(json, "value", op.value());
        text(json, "expected", op.expected());
        text(json, "expected_version", op.expectedVersion());
        if (op.delta() != 0) {
            json.writeNumberField("delta", op.delta());
        }
        json.writeNumberField("invoke", operation.invokeNanos());
        if (operation.returnNanos() != Operation.OPEN) {
            json.writeNumberField("return", operation.returnNanos());
        }
        json.writeStringField("outcome", name(operation.outcome()));
        Observed observed = operation.observed();
        if (observed != null) {
            text(json, "seen", observed.value());
            text(json, "version", observed.version());
            if (!observed.applied()) {
                json.writeBooleanField("applied", false);
            }
            if (!observed.fresh()) {
                json.writeBooleanField("fresh", false);
            }
        }
        json.writeEndObject();
    }

    private static void text(JsonGenerator json, String name, @Nullable Object value) throws IOException {
        if (value != null) {
            json.writeStringField(name, value.toString());
        }
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<Operation> read(BufferedReader in) throws IOException {
        List<Operation> operations = new ArrayList<>();
        int number = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            number++;
            if (!line.isBlank()) {
                try {
                    operations.add(operation(members(line)));
                } catch (IOException | IllegalArgumentException e) {
                    throw new IOException("line " + number + " is no operation: " + e.getMessage(), e);
                }
            }
        }
        return operations;
    }

    private static Map<String, String> members(String line) throws IOException {
        Map<String, String> members = new HashMap<>();
        try (JsonParser json = JSON.createParser(line)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("not an object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (!json.nextToken().isScalarValue()) {
                    throw new IOException("'" + name + "' is nested");
                }
                members.put(name, json.getText());
            }
        }
        return members;
    }

    private static Operation operation(Map<String, String> members) {
        Op op = new Op(
                Op.Kind.valueOf(constant(needed(members, "op"))),
                needed(members, "key"),
                members.get("value"),
                members.get("expected"),
                version(members.get("expected_version")),
                Long.parseLong(members.getOrDefault("delta", "0")));
        Outcome outcome = Outcome.valueOf(constant(needed(members, "outcome")));
        Observed observed = outcome != Outcome.OK
                ? null
                : new Observed(
                        Boolean.parseBoolean(members.getOrDefault("applied", "true")),
                        members.get("seen"),
                        version(members.get("version")),
                        Boolean.parseBoolean(members.getOrDefault("fresh", "true")));
        String returned = members.get("return");
        return new Operation(
                Integer.parseInt(needed(members, "id")),
                needed(members, "process"),
                members.getOrDefault("node", needed(members, "process")),
                op,
                Long.parseLong(needed(members, "invoke")),
                returned == null ? Operation.OPEN : Long.parseLong(returned),
                outcome,
                observed);
    }

    private static String needed(Map<String, String> members, String name) {
        String value = members.get(name);
        if (value == null) {
            throw new IllegalArgumentException("'" + name + "' is missing");
        }
        return value;
    }

    private static String constant(String name) {
        return name.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    private static @Nullable Version version(@Nullable String text) {
        return text == null ? null : Version.parse(text);
    }
}
