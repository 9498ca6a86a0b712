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
    /** One line for people. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        if (line > 0) {
            text.append("line ").append(line).append(": ");
        }
        if (!path.isEmpty()) {
            text.append(path).append(": ");
        }
        if (!value.isEmpty()) {
            text.append('\'').append(value).append("' ");
        }
        text.append(message);
        if (!suggestion.isEmpty()) {
            text.append("; did you mean '").append(suggestion).append("'?");
        }
        return text.toString();
    }
}
