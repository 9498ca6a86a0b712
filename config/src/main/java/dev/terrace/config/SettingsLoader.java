package dev.terrace.config;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;

/**
 * Reads settings from YAML and reports everything that is wrong at once. YAML is only parsed into nodes: no Java object is
 * ever built from a tag in the file. Stateless.
 */
public final class SettingsLoader {
    /** The one key at the top of the file. */
    public static final String ROOT = "distributed_cache";

    private static final long LONGEST_FILE_BYTES = 1 << 20;

    private SettingsLoader() {}

    /**
     * Reads a file.
     *
     * @throws InvalidSettingsException with every problem
     */
    public static Settings load(Path file) {
        return read(file, System.getenv()).settings();
    }

    /** As {@link #load}, with warnings, and with the environment that {@code ${NAME}} refers to. */
    public static LoadedSettings read(Path file, Map<String, String> environment) {
        String source = file.toString();
        String text;
        try {
            if (Files.isDirectory(file)) {
                throw invalid(source, 0, "is a folder, not a settings file");
            }
            if (Files.size(file) > LONGEST_FILE_BYTES) {
                throw invalid(
                        source, 0, "has more than " + LONGEST_FILE_BYTES + " bytes, which no settings file needs");
            }
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw invalid(source, 0, "does not exist");
        } catch (CharacterCodingException e) {
            throw invalid(source, 0, "is not UTF-8 text");
        } catch (IOException e) {
            throw invalid(source, 0, "cannot be read: " + e.getMessage());
        }
        return parse(text, source, environment);
    }

    /** Reads text; {@code source} is what messages call it. */
    public static LoadedSettings parse(String text, String source, Map<String, String> environment) {
        Reading reading = new Reading(environment);
        Node root = compose(text, source);
        Settings settings = Settings.defaults();
        if (root != null) {
            settings = bind(reading, root);
        }
        if (!reading.problems().isEmpty()) {
            throw new InvalidSettingsException(source, reading.problems());
        }
        List<Problem> warnings = Consistency.warnings(settings);
        return new LoadedSettings(settings, warnings, reading.explicit());
    }

    private static Settings bind(Reading reading, Node root) {
        if (!(root instanceof MappingNode mapping)) {
            reading.problem("", root, "", "the file must be a mapping with the one key '" + ROOT + "'", "");
            return Settings.defaults();
        }
        Section top = new Section(reading, "", mapping);
        Section section = top.section(ROOT);
        Settings settings = SettingsBinder.bind(section);
        top.finish();
        if (reading.problems().isEmpty()) {
            Consistency.check(reading, section, settings);
        }
        return settings;
    }

    private static @Nullable Node compose(String text, String source) {
        LoaderOptions options = new LoaderOptions();
        options.setMaxAliasesForCollections(20);
        options.setNestingDepthLimit(20);
        options.setCodePointLimit((int) LONGEST_FILE_BYTES);
        options.setAllowDuplicateKeys(true); // Section reports them, with their lines.
        try {
            return new Yaml(options).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw invalid(source, line, "is not YAML: " + e.getProblem());
        } catch (YAMLException e) {
            throw invalid(source, 0, "is not YAML: " + e.getMessage());
        }
    }

    private static InvalidSettingsException invalid(String source, int line, String message) {
        return new InvalidSettingsException(source, List.of(new Problem("", line, "", message, "")));
    }
}
