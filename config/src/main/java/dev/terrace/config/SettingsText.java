package dev.terrace.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * A settings file with other values in some places, as text. What is not named stays as it was written: references to secrets stay references.
 * Immutable.
 */
public final class SettingsText {
    private final Map<String, Object> tree;

    private SettingsText(Map<String, Object> tree) {
        this.tree = tree;
    }

    /** Nothing but defaults. */
    public static SettingsText empty() {
        return new SettingsText(new LinkedHashMap<>());
    }

    /**
     * What a file says.
     *
     * @throws InvalidSettingsException with every problem, as {@link SettingsLoader#load}
     */
    public static SettingsText of(Path file) {
        String text = SettingsFile.read(file);
        SettingsLoader.parse(text, file.toString(), System.getenv());
        Object root = yaml().load(text);
        return new SettingsText(
                root instanceof Map<?, ?> map && map.get(SettingsLoader.ROOT) instanceof Map<?, ?> section
                        ? copy(section)
                        : new LinkedHashMap<>());
    }

    /** Only texts and nothing: a password of digits is no number. */
    private static Yaml yaml() {
        LoaderOptions loading = new LoaderOptions();
        loading.setCodePointLimit(SettingsFile.LONGEST_BYTES);
        DumperOptions dumping = new DumperOptions();
        dumping.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        dumping.setDefaultScalarStyle(DumperOptions.ScalarStyle.DOUBLE_QUOTED);
        return new Yaml(new SafeConstructor(loading), new Representer(dumping), dumping, loading, new Resolver() {
            @Override
            protected void addImplicitResolvers() {
                addImplicitResolver(Tag.NULL, Pattern.compile("~|null|Null|NULL| "), "~nN\0");
                addImplicitResolver(Tag.NULL, Pattern.compile("^$"), null);
            }
        });
    }

    private static Map<String, Object> copy(Map<?, ?> from) {
        Map<String, Object> copied = new LinkedHashMap<>();
        from.forEach((key, value) -> copied.put(
                String.valueOf(key), value instanceof Map<?, ?> section ? copy(section) : value == null ? "" : value));
        return copied;
    }

    /**
     * With another value.
     *
     * @param path as the documentation writes it, such as {@code server.port}
     * @param value a text, a number, a flag or a list of texts; null takes away what is there
     */
    public SettingsText with(String path, @Nullable Object value) {
        SettingsText changed = new SettingsText(copy(tree));
        Map<String, Object> section = changed.tree;
        String[] parts = path.split("\\.");
        for (int i = 0; i < parts.length - 1; i++) {
            Object child = section.get(parts[i]);
            Map<String, Object> next = child instanceof Map<?, ?> there ? copy(there) : new LinkedHashMap<>();
            section.put(parts[i], next);
            section = next;
        }
        if (value == null) {
            section.remove(parts[parts.length - 1]);
        } else {
            section.put(parts[parts.length - 1], value instanceof java.util.List ? value : value.toString());
        }
        return changed;
    }

    /** With another value where there is none. */
    public SettingsText withDefault(String path, Object value) {
        return find(path) == null ? with(path, value) : this;
    }

    /** What is written at {@code path}, or null. */
    public @Nullable Object find(String path) {
        Object at = tree;
        for (String part : path.split("\\.")) {
            at = at instanceof Map<?, ?> section ? section.get(part) : null;
        }
        return at;
    }

    /** The file. */
    @Override
    public String toString() {
        return yaml().dump(Map.of(SettingsLoader.ROOT, tree));
    }
}
