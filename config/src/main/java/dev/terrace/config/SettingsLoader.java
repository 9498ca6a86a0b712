package dev.terrace.config;

import java.io.StringReader;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * Reads settings from YAML and reports everything that is wrong at once. YAML is only parsed into nodes: no Java object is
 * ever built from a tag in the file. Stateless.
 */
public final class SettingsLoader {
    /** The one key at the top of the file. */
    public static final String ROOT = "distributed_cache";

    private static final int MOST_ALIASES = 20;
    private static final int DEEPEST = 20;

    private SettingsLoader() {}

    /**
     * Reads a file.
     *
     * @throws InvalidSettingsException with every problem
     */
    public static Settings load(Path file) {
        return read(file, System.getenv()).settings();
    }

    /**
     * As {@link #load}, with warnings, and with the environment that {@code ${NAME}} refers to.
     *
     * @throws InvalidSettingsException with every problem
     */
    public static LoadedSettings read(Path file, Map<String, String> environment) {
        return parse(SettingsFile.read(file), file.toString(), environment);
    }

    /**
     * Reads text; {@code source} is what messages call it.
     *
     * @throws InvalidSettingsException with every problem
     */
    public static LoadedSettings parse(String text, String source, Map<String, String> environment) {
        Reading reading = new Reading(environment);
        Settings settings = bind(reading, compose(text, source));
        Contradictions.check(reading, settings);
        if (!reading.problems().isEmpty()) {
            throw new InvalidSettingsException(source, reading.problems());
        }
        return new LoadedSettings(settings, reading.warnings(), reading.explicit());
    }

    static Settings bind(Reading reading, @Nullable Node root) {
        if (root == null || root.getTag().equals(Tag.NULL)) {
            return Settings.defaults();
        }
        if (!(root instanceof MappingNode mapping)) {
            int line = root.getStartMark().getLine() + 1;
            reading.problem(ROOT, line, "", "is missing: the file must be a mapping with this one key", "");
            return Settings.defaults();
        }
        Section top = new Section(reading, "", mapping);
        Section section = top.section(ROOT);
        Settings settings = SettingsBinder.bind(section);
        top.finish();
        return settings;
    }

    static @Nullable Node compose(String text, String source) {
        LoaderOptions options = new LoaderOptions();
        options.setMaxAliasesForCollections(MOST_ALIASES);
        options.setNestingDepthLimit(DEEPEST);
        options.setCodePointLimit(SettingsFile.LONGEST_BYTES);
        options.setAllowDuplicateKeys(true); // Section reports them, with their lines.
        try {
            return new Yaml(options).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw SettingsFile.refused(source, line, "is not YAML: " + withoutNames(e.getProblem()));
        } catch (ReaderException e) {
            int line = 1
                    + (int) text.codePoints()
                            .limit(e.getPosition())
                            .filter(c -> c == '\n')
                            .count();
            String character = String.format(Locale.ROOT, "U+%04X", e.getCodePoint());
            throw SettingsFile.refused(source, line, "has the character " + character + ", which YAML does not allow");
        } catch (YAMLException e) {
            throw SettingsFile.refused(source, 0, "is not YAML: " + e.getMessage());
        }
    }

    /** An unquoted password may begin with a star or an exclamation mark, and the parser would repeat it. */
    private static String withoutNames(@Nullable String problem) {
        String said = String.valueOf(problem);
        if (said.startsWith("found undefined alias")) {
            return "found undefined alias; quote a text that begins with *";
        }
        if (said.startsWith("found undefined tag handle") || said.startsWith("Global tag is not allowed")) {
            return "found a tag that is not allowed; quote a text that begins with !";
        }
        return said;
    }

    /** The paths that a file may set, as the binder asks for them when it reads {@code text}. */
    static Set<String> known(String text, Map<String, String> environment) {
        Reading reading = new Reading(environment);
        SettingsBinder.bind(
                new Section(reading, "", compose(text, "known") instanceof MappingNode all ? all : null).section(ROOT));
        return reading.known();
    }
}
