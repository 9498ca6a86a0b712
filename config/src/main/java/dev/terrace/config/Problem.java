package dev.terrace.config;

/**
 * One thing that is wrong, or doubtful, in a settings file.
 *
 * @param path where: {@code distributed_cache.local_cache.ttl}; empty when it concerns the whole file
 * @param line line in the file, from 1; 0 when there is none
 * @param value the offending value as written; masked for secrets, empty when there is none
 * @param message what is wrong and what is allowed
 * @param suggestion what was probably meant; empty when there is no guess
 */
public record Problem(String path, int line, String value, String message, String suggestion) {
    /** One line for people: {@code line 3: path: 'value' message}. */
    @Override
    public String toString() {
        return (line > 0 ? "line " + line + ": " : "") + text();
    }

    /** One line for people and editors: {@code file.yaml:3: path: 'value' message}. */
    public String in(String source) {
        return source + (line > 0 ? ":" + line : "") + ": " + text();
    }

    private String text() {
        return (path.isEmpty() ? "" : path + ": ")
                + (value.isEmpty() ? "" : "'" + value + "' ")
                + message
                + (suggestion.isEmpty() ? "" : "; did you mean '" + suggestion + "'?");
    }
}
