package dev.terrace.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * One mapping of the file. Each getter reads one key: the default when it is missing, a problem and the default when it is
 * wrong. {@link #finish} reports the keys that nobody asked for.
 */
final class Section {
    private final Reading reading;
    private final String path;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Map<String, Node> keyNodes = new LinkedHashMap<>();
    private final Set<String> asked = new LinkedHashSet<>();

    Section(Reading reading, String path, @Nullable MappingNode mapping) {
        this.reading = reading;
        this.path = path;
        if (mapping != null) {
            for (NodeTuple tuple : mapping.getValue()) {
                add(tuple);
            }
        }
    }

    private void add(NodeTuple tuple) {
        Node keyNode = tuple.getKeyNode();
        if (!(keyNode instanceof ScalarNode scalar)) {
            reading.problem(path, keyNode, "", "keys are plain words", "");
            return;
        }
        String key = scalar.getValue();
        if (values.put(key, tuple.getValueNode()) != null) {
            reading.problem(pathOf(key), keyNode, "", "is written twice; keep one", "");
        }
        keyNodes.put(key, keyNode);
    }

    String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    Reading reading() {
        return reading;
    }

    @Nullable
    Node node(String key) {
        return values.get(key);
    }

    Set<String> keys() {
        return values.keySet();
    }

    /** Reports a problem with the value of {@code key}. */
    void wrong(String key, String value, String message, String suggestion) {
        reading.problem(pathOf(key), values.getOrDefault(key, keyNodes.get(key)), value, message, suggestion);
    }

    private @Nullable Node take(String key) {
        asked.add(key);
        Node node = values.get(key);
        if (node == null || node.getTag().equals(Tag.NULL)) {
            return null;
        }
        reading.sets(pathOf(key));
        return node;
    }

    /** The mapping under {@code key}; an empty one when it is missing. */
    Section section(String key) {
        asked.add(key);
        Node node = values.get(key);
        if (node == null || node.getTag().equals(Tag.NULL)) {
            return new Section(reading, pathOf(key), null);
        }
        if (node instanceof MappingNode mapping) {
            return new Section(reading, pathOf(key), mapping);
        }
        wrong(key, scalarText(node), "must be a mapping of keys to values", "");
        return new Section(reading, pathOf(key), null);
    }

    /** The mappings in the list under {@code key}. */
    List<Section> sections(String key) {
        Node node = take(key);
        List<Section> sections = new ArrayList<>();
        if (node == null) {
            return sections;
        }
        if (!(node instanceof SequenceNode list)) {
            wrong(key, scalarText(node), "must be a list", "");
            return sections;
        }
        int index = 0;
        for (Node item : list.getValue()) {
            String itemPath = pathOf(key) + "[" + index++ + "]";
            if (item instanceof MappingNode mapping) {
                sections.add(new Section(reading, itemPath, mapping));
            } else {
                reading.problem(itemPath, item, scalarText(item), "must be a mapping of keys to values", "");
            }
        }
        return sections;
    }

    private static String scalarText(Node node) {
        return node instanceof ScalarNode scalar ? scalar.getValue() : "";
    }

    /** The text under {@code key}, references replaced; null when missing or wrong. */
    @Nullable
    String text(String key) {
        Node node = take(key);
        if (node == null) {
            return null;
        }
        if (!(node instanceof ScalarNode scalar)) {
            wrong(key, "", "must be a single value", "");
            return null;
        }
        return reading.resolve(pathOf(key), node, scalar.getValue());
    }

    String text(String key, String fallback) {
        String text = text(key);
        if (text != null && text.isBlank()) {
            wrong(key, text, "must not be empty", "");
            return fallback;
        }
        return text == null ? fallback : text;
    }

    /** The texts in the list under {@code key}; null when missing or wrong. */
    @Nullable
    List<String> texts(String key) {
        Node node = take(key);
        if (node == null) {
            return null;
        }
        if (!(node instanceof SequenceNode list)) {
            wrong(key, scalarText(node), "must be a list, such as [\"redis-1:6379\"]", "");
            return null;
        }
        List<String> texts = new ArrayList<>();
        for (Node item : list.getValue()) {
            String text =
                    item instanceof ScalarNode scalar ? reading.resolve(pathOf(key), item, scalar.getValue()) : null;
            if (text == null) {
                wrong(key, "", "must be a list of plain values", "");
                return null;
            }
            texts.add(text);
        }
        return texts;
    }

    boolean flag(String key, boolean fallback) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> {
                return true;
            }
            case "false", "no", "off" -> {
                return false;
            }
            default -> {
                wrong(key, text, "must be true or false", "");
                return fallback;
            }
        }
    }

    long number(String key, long fallback, long least, long most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        try {
            long number = Long.parseLong(text.trim().replace("_", ""));
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Reported below, like a number out of range.
        }
        wrong(key, text, "must be a whole number from " + least + " to " + most, "");
        return fallback;
    }

    Duration duration(String key, Duration fallback, Duration least, Duration most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        Duration duration = DurationText.parse(text);
        if (duration == null) {
            wrong(key, text, "must be " + DurationText.ALLOWED, "");
            return fallback;
        }
        if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            wrong(key, text, "must be from " + DurationText.format(least) + " to " + DurationText.format(most), "");
            return fallback;
        }
        return duration;
    }

    /** As {@link #duration}, null when missing. */
    @Nullable
    Duration optionalDuration(String key, Duration least, Duration most) {
        return values.containsKey(key) ? duration(key, least, least, most) : optional(key);
    }

    private @Nullable Duration optional(String key) {
        asked.add(key);
        return null;
    }

    int bytes(String key, int fallback, int least, int most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        long bytes = SizeText.parse(text);
        if (bytes < least || bytes > most) {
            wrong(key, text, "must be " + SizeText.ALLOWED + ", from " + least + " to " + most + " bytes", "");
            return fallback;
        }
        return (int) bytes;
    }

    /** Mebibytes: a plain number counts mebibytes, a number with a unit is converted. */
    long mebibytes(String key, long fallback, long least, long most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        String trimmed = text.trim();
        boolean plain = !trimmed.isEmpty() && trimmed.chars().allMatch(c -> c >= '0' && c <= '9');
        long bytes = SizeText.parse(trimmed);
        long mebibytes = plain ? bytes : bytes >> 20;
        if (bytes < 0 || mebibytes < least || mebibytes > most) {
            wrong(key, text, "must be a number of MiB or a size such as 512MiB, from " + least + " to " + most, "");
            return fallback;
        }
        return mebibytes;
    }

    <T extends Enum<T>> T choice(String key, Class<T> type, T fallback) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        List<String> allowed = Arrays.stream(type.getEnumConstants())
                .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                .toList();
        String wanted = text.toLowerCase(Locale.ROOT);
        for (T constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(wanted)) {
                return constant;
            }
        }
        wrong(key, text, "must be one of " + String.join(", ", allowed), Spelling.closest(wanted, allowed));
        return fallback;
    }

    @Nullable
    Path file(String key) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            wrong(key, text, "is not a path", "");
            return null;
        }
    }

    /** A secret: written in place, {@code ${ENV}}, or {@code file:/path}, which others must not be able to read. */
    @Nullable
    Secret secret(String key) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        if (!text.startsWith("file:")) {
            if (text.isEmpty()) {
                wrong(key, "", "must not be empty", "");
            }
            return new Secret(text);
        }
        Path file = Path.of(text.substring("file:".length()));
        try {
            if (Files.getFileStore(file).supportsFileAttributeView("posix")
                    && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
                wrong(key, text, "names a secret that every user can read; run chmod 600 " + file, "");
            }
            String secret = Files.readString(file).stripTrailing();
            if (secret.isEmpty()) {
                wrong(key, text, "names an empty file", "");
            }
            return new Secret(secret);
        } catch (IOException e) {
            wrong(
                    key,
                    text,
                    "names a secret file that cannot be read (" + e.getClass().getSimpleName() + ")",
                    "");
            return null;
        }
    }

    /** Reports keys that nobody asked for. */
    void finish() {
        for (Map.Entry<String, Node> entry : keyNodes.entrySet()) {
            if (!asked.contains(entry.getKey())) {
                reading.problem(
                        pathOf(entry.getKey()),
                        entry.getValue(),
                        "",
                        "is not a setting; known here: " + String.join(", ", asked),
                        Spelling.closest(entry.getKey(), asked));
            }
        }
    }
}
