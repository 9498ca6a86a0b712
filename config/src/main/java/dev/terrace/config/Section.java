package dev.terrace.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
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
 *
 * <p>Problems show values as the file has them, with references unresolved: what a variable holds may be a secret.
 */
final class Section {
    /** What plain YAML gives by itself; every other tag was written by hand and would be an object in other programs. */
    private static final Set<Tag> PLAIN_TAGS =
            Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.NULL, Tag.TIMESTAMP, Tag.MAP, Tag.SEQ);

    private static final int LONGEST_SHOWN = 100;
    static final String AUTO = "auto";

    private final Reading reading;
    private final String path;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Map<String, Integer> keyLines = new LinkedHashMap<>();
    private final Set<String> asked = new LinkedHashSet<>();

    Section(Reading reading, String path, @Nullable MappingNode mapping) {
        this.reading = reading;
        this.path = path;
        if (mapping != null) {
            mapping.getValue().forEach(this::add);
        }
    }

    private void add(NodeTuple tuple) {
        Node keyNode = tuple.getKeyNode();
        int line = line(keyNode);
        if (!(keyNode instanceof ScalarNode scalar)) {
            reading.problem(path, line, "", "has a key that is not a plain word", "");
            return;
        }
        String key = scalar.getValue();
        if (keyNode.getTag().equals(Tag.MERGE)) {
            reading.problem(
                    pathOf(key), line, "", "is a merge key, which settings do not have; write the keys out", "");
            return;
        }
        Integer first = keyLines.putIfAbsent(key, line);
        if (first != null) {
            reading.problem(pathOf(key), line, "", "is written twice, first in line " + first + "; keep one", "");
            return;
        }
        values.put(key, tuple.getValueNode());
        // A mapping or list begins below its key, but people look for the key.
        reading.stands(pathOf(key), tuple.getValueNode() instanceof ScalarNode value ? line(value) : line);
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** True when the file has the key, even without a value. */
    boolean has(String key) {
        return values.containsKey(key);
    }

    /** True when the file has the key and something behind it. */
    boolean hasValue(String key) {
        Node node = values.get(key);
        return node != null && !node.getTag().equals(Tag.NULL);
    }

    /** True when the file has a list there. */
    boolean isList(String key) {
        return values.get(key) instanceof SequenceNode;
    }

    Set<String> keys() {
        return values.keySet();
    }

    /** Reports a problem with the value of {@code key}, which is shown as it is written. */
    void wrong(String key, String message, String suggestion) {
        Node node = values.get(key);
        String shown = node instanceof ScalarNode scalar ? shown(scalar.getValue()) : "";
        reading.problem(pathOf(key), reading.lineOf(pathOf(key)), shown, message, suggestion);
    }

    /** A value fit for a message: one line, bounded, and without the user part that addresses may carry. */
    private static String shown(String written) {
        String line = PlainText.of(written).replaceAll("[^/\\s]*@", "****@");
        return line.length() > LONGEST_SHOWN ? PlainText.start(line, LONGEST_SHOWN) + "..." : line;
    }

    private @Nullable Node take(String key) {
        asked.add(key);
        reading.knows(pathOf(key));
        Node node = values.get(key);
        if (node == null || node.getTag().equals(Tag.NULL)) {
            return null;
        }
        if (!PLAIN_TAGS.contains(node.getTag())) {
            reading.problem(
                    pathOf(key),
                    line(node),
                    "",
                    "has a YAML tag (!...); settings are plain, quote a text that begins with !",
                    "");
            return null;
        }
        return node;
    }

    /** The mapping under {@code key}; an empty one when it is missing. */
    Section section(String key) {
        Node node = take(key);
        if (node instanceof MappingNode mapping) {
            return new Section(reading, pathOf(key), mapping);
        }
        if (node != null) {
            reading.problem(pathOf(key), line(node), "", "must be a mapping of keys to values", "");
        }
        return new Section(reading, pathOf(key), null);
    }

    /** The mappings in the list under {@code key}. */
    List<Section> sections(String key) {
        List<Section> sections = new ArrayList<>();
        Node node = take(key);
        if (node instanceof SequenceNode list) {
            for (Node item : list.getValue()) {
                String itemPath = pathOf(key) + "[" + sections.size() + "]";
                MappingNode mapping = item instanceof MappingNode found ? found : null;
                if (mapping == null) {
                    reading.problem(itemPath, line(item), "", "must be a mapping of keys to values", "");
                }
                reading.stands(itemPath, line(item));
                sections.add(new Section(reading, itemPath, mapping));
            }
        } else if (node != null) {
            wrong(key, "must be a list of mappings", "");
        }
        return sections;
    }

    /** The text under {@code key}, references replaced; null when missing or wrong. */
    @Nullable
    String text(String key) {
        Node node = take(key);
        if (node == null) {
            return null;
        }
        reading.sets(pathOf(key));
        if (!(node instanceof ScalarNode scalar)) {
            wrong(key, "must be a single value", "");
            return null;
        }
        try {
            return References.resolve(scalar.getValue(), reading.environment());
        } catch (Unusable e) {
            wrong(key, e.reason(), "");
            return null;
        }
    }

    String text(String key, String fallback) {
        String text = text(key);
        if (text != null && text.isBlank()) {
            wrong(key, "must not be empty", "");
            return fallback;
        }
        return text == null ? fallback : text;
    }

    /** As {@link #text(String)}, but a text that is given must not be blank. */
    @Nullable
    String optionalText(String key) {
        String text = text(key, "");
        return text.isEmpty() ? null : text;
    }

    /** The texts under {@code key}, a list or one text with commas; null when missing or wrong. */
    @Nullable
    List<Item> items(String key) {
        Node node = take(key);
        if (node == null) {
            return null;
        }
        if (node instanceof ScalarNode) {
            String joined = text(key);
            int line = line(node);
            return joined == null
                    ? null
                    : Arrays.stream(joined.split(","))
                            .map(text -> new Item(pathOf(key), line, text.trim(), ""))
                            .toList();
        }
        reading.sets(pathOf(key));
        if (!(node instanceof SequenceNode list)) {
            wrong(key, "must be a list", "");
            return null;
        }
        List<Item> items = new ArrayList<>();
        int index = 0;
        for (Node item : list.getValue()) {
            String itemPath = pathOf(key) + "[" + index++ + "]";
            if (!(item instanceof ScalarNode scalar) || !PLAIN_TAGS.contains(item.getTag())) {
                reading.problem(itemPath, line(item), "", "must be a single value", "");
                continue;
            }
            String shown = shown(scalar.getValue());
            try {
                String text = References.resolve(scalar.getValue(), reading.environment());
                items.add(new Item(itemPath, line(item), text, shown));
            } catch (Unusable e) {
                reading.problem(itemPath, line(item), shown, e.reason(), "");
            }
        }
        return items;
    }

    /** One text of a list: where it stands, what it means, and how it may be shown. */
    record Item(String path, int line, String text, String shown) {}

    /** Reports a problem with one item of a list. */
    void wrong(Item item, String message) {
        reading.problem(item.path(), item.line(), item.shown(), message, "");
    }

    boolean flag(String key, boolean fallback) {
        Boolean flag = optionalFlag(key);
        return flag == null ? fallback : flag;
    }

    @Nullable
    Boolean optionalFlag(String key) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> {
                return Boolean.TRUE;
            }
            case "false", "no", "off" -> {
                return Boolean.FALSE;
            }
            default -> {
                wrong(key, "must be true or false", "");
                return null;
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
        wrong(key, "must be a whole number from " + least + " to " + most, "");
        return fallback;
    }

    Duration duration(String key, Duration fallback, Duration least, Duration most) {
        Duration duration = optionalDuration(key, least, most);
        return duration == null ? fallback : duration;
    }

    /** As {@link #duration}, null when missing or wrong. */
    @Nullable
    Duration optionalDuration(String key, Duration least, Duration most) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        Duration duration = DurationText.parse(text);
        if (duration == null) {
            boolean bare = SizeText.isPlain(text);
            wrong(key, (bare ? "lacks a unit: it must be " : "must be ") + DurationText.ALLOWED, "");
            return null;
        }
        if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            wrong(key, "must be from " + DurationText.format(least) + " to " + DurationText.format(most), "");
            return null;
        }
        return duration;
    }

    int bytes(String key, int fallback, int least, int most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        long bytes = SizeText.parse(text);
        if (bytes < least || bytes > most) {
            wrong(key, "must be " + SizeText.ALLOWED + ", from " + least + " to " + most + " bytes", "");
            return fallback;
        }
        return (int) bytes;
    }

    /** Mebibytes: a plain number counts mebibytes, a number with a unit is converted, rounded down. */
    long mebibytes(String key, long fallback, long least, long most) {
        String text = text(key);
        if (text == null) {
            return fallback;
        }
        long size = SizeText.parse(text);
        long mebibytes = SizeText.isPlain(text) ? size : size >> 20;
        if (size < 0 || mebibytes < least || mebibytes > most) {
            wrong(key, "must be a number of MiB or a size such as 512MiB, from " + least + " to " + most + " MiB", "");
            return fallback;
        }
        return mebibytes;
    }

    int percent(String key, int fallback, int least, int most) {
        Integer percent = optionalPercent(key, least, most);
        return percent == null ? fallback : percent;
    }

    /** As {@link #percent}, null when missing or wrong. */
    @Nullable
    Integer optionalPercent(String key, int least, int most) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        int percent = PercentText.parse(text);
        if (percent < least || percent > most) {
            wrong(key, "must be " + PercentText.ALLOWED + ", from " + least + "% to " + most + "%", "");
            return null;
        }
        return percent;
    }

    /** A duration, or null for the word {@code auto}, a missing or a wrong one. */
    @Nullable
    Duration durationOrAuto(String key, Duration least, Duration most) {
        String text = text(key);
        if (text == null || text.toLowerCase(Locale.ROOT).equals(AUTO)) {
            return null;
        }
        Duration duration = DurationText.parse(text);
        if (duration == null || duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            String range = DurationText.format(least) + " to " + DurationText.format(most);
            wrong(key, "must be auto, or a duration from " + range, Spelling.closest(text, List.of(AUTO)));
            return null;
        }
        return duration;
    }

    <T extends Enum<T>> T choice(String key, Class<T> type, T fallback) {
        T chosen = optionalChoice(key, type);
        return chosen == null ? fallback : chosen;
    }

    /** As {@link #choice}, null when missing or wrong. */
    <T extends Enum<T>> @Nullable T optionalChoice(String key, Class<T> type) {
        String text = text(key);
        if (text == null) {
            return null;
        }
        List<String> allowed = new ArrayList<>();
        for (T constant : type.getEnumConstants()) {
            String name = constant.name().toLowerCase(Locale.ROOT);
            if (name.equals(text.toLowerCase(Locale.ROOT).replace('-', '_'))) {
                return constant;
            }
            allowed.add(name);
        }
        wrong(key, "must be one of " + String.join(", ", allowed), Spelling.closest(text, allowed));
        return null;
    }

    @Nullable
    Path file(String key) {
        String text = optionalText(key);
        if (text == null) {
            return null;
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            wrong(key, "is not a path", "");
            return null;
        }
    }

    /** A secret: written in place, {@code ${ENV}}, or {@code file:/path}, which others must not be able to read. */
    @Nullable
    Secret secret(String key) {
        Node node = take(key);
        if (!(node instanceof ScalarNode scalar)) {
            return node == null ? null : noSecret(key, "", "must be a single value");
        }
        reading.sets(pathOf(key));
        String written = scalar.getValue();
        String mask = written.isEmpty() ? "" : new Secret(written).toString();
        try {
            String text = References.resolve(written, reading.environment());
            if (text.isBlank()) {
                return noSecret(key, mask, "must not be empty");
            }
            if (!text.startsWith("file:")) {
                return new Secret(text);
            }
            mask = written.startsWith("file:") ? shown(written) : mask;
            return SecretFile.read(text.substring("file:".length()));
        } catch (Unusable e) {
            return noSecret(key, mask, e.reason());
        }
    }

    private @Nullable Secret noSecret(String key, String shown, String message) {
        reading.problem(pathOf(key), reading.lineOf(pathOf(key)), shown, message, "");
        return null;
    }

    /** Reports keys that nobody asked for. */
    void finish() {
        keyLines.forEach((key, line) -> {
            if (!asked.contains(key)) {
                String meant = Spelling.closest(key, asked);
                if (!meant.isEmpty()) {
                    reading.doubt(pathOf(meant));
                }
                String known = "is not a setting; known here: " + String.join(", ", asked);
                reading.problem(shown(pathOf(key)), line, "", known, meant);
            }
        });
    }
}
