package dev.terrace.node.http;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.util.regex.Pattern;

/** What is wrong with a text that should be JSON, for people: where, and what was expected there. */
final class JsonFlaw {
    /** Where the parser says where it read from, which callers know, or nothing at all. */
    private static final Pattern SOURCES = Pattern.compile("\\s*\\(start marker at \\[Source.*?\\]\\)|\\[Source.*?\\]");

    private static final int MOST = 200;

    private JsonFlaw() {}

    /** As in {@code line 1, column 9: Unexpected character ('x' (code 120)): was expecting a colon ...}. */
    static String of(JsonProcessingException flaw) {
        JsonLocation at = flaw.getLocation();
        String where = at == null || at.getLineNr() < 1
                ? ""
                : "line " + at.getLineNr() + ", column " + at.getColumnNr() + ": ";
        if (flaw instanceof JsonEOFException) {
            return where + "it ends before an object, a list or a text in it does";
        }
        String what = SOURCES.matcher(String.valueOf(flaw.getOriginalMessage()))
                .replaceAll("")
                .strip();
        return where + (what.length() > MOST ? what.substring(0, MOST) + "..." : what);
    }
}
