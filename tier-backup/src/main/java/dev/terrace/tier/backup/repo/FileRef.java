package dev.terrace.tier.backup.repo;

import java.util.regex.Pattern;

/**
 * A file of a snapshot.
 *
 * @param file its name in the database's folder
 * @param tail SHA-256 of its last 4 KiB, cut to 32 hex digits: with name and length it tells an unchanged file without reading all of it
 * @param blob where its bytes are
 */
public record FileRef(String file, String tail, BlobRef blob) {
    private static final Pattern FILE = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final Pattern TAIL = Pattern.compile("[0-9a-f]{32}");

    /** Checks: no name leads out of the folder. */
    public FileRef {
        if (!FILE.matcher(file).matches()) {
            throw new IllegalArgumentException("not the name of a file of a database: '" + file + "'");
        }
        if (!TAIL.matcher(tail).matches()) {
            throw new IllegalArgumentException("a tail is 32 hex digits");
        }
    }
}
