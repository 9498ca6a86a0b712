package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** What blobs may be called: see {@link BlobStore}. Every store asks here, so that a name that one takes the others take too. */
public final class BlobName {
    /** Longest name, in characters, which are bytes. */
    public static final int MOST_CHARACTERS = 512;

    private BlobName() {}

    /** The name itself. */
    public static String require(String name) {
        String wrong = problem(name);
        if (wrong != null) {
            throw new IllegalArgumentException("blob name '" + shown(name) + "' " + wrong);
        }
        return name;
    }

    /** Whether a blob may be called so. */
    public static boolean isName(String name) {
        return problem(name) == null;
    }

    /** What names may begin with: nothing, or anything made of the characters of names. */
    public static String requirePrefix(String prefix) {
        if (prefix.length() > MOST_CHARACTERS) {
            throw new IllegalArgumentException(
                    "a prefix of " + prefix.length() + " characters; names have at most 512");
        }
        for (int i = 0; i < prefix.length(); i++) {
            if (prefix.charAt(i) != '/' && !allowed(prefix.charAt(i))) {
                throw new IllegalArgumentException(
                        "prefix '" + shown(prefix) + "' holds what names cannot: letters, digits, . _ - and / only");
            }
        }
        return prefix;
    }

    private static @Nullable String problem(String name) {
        if (name.isEmpty() || name.length() > MOST_CHARACTERS) {
            return "has " + name.length() + " characters; from 1 to " + MOST_CHARACTERS + " are allowed";
        }
        int part = 0;
        for (int i = 0; i <= name.length(); i++) {
            if (i == name.length() || name.charAt(i) == '/') {
                String one = name.substring(part, i);
                if (one.isEmpty() || one.equals(".") || one.equals("..")) {
                    return "has a part that is empty, . or ..";
                }
                part = i + 1;
            } else if (!allowed(name.charAt(i))) {
                return "holds what names cannot: letters, digits, . _ - and / only";
            }
        }
        return null;
    }

    private static boolean allowed(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-';
    }

    private static String shown(String name) {
        String line = name.replaceAll("[^\\x20-\\x7e]", "?");
        return line.length() > 80 ? line.substring(0, 80) + "..." : line;
    }
}
