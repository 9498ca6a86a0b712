package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Histories in words, one operation a line: {@code A put 1 @0-10}. A process, perhaps with {@code /key}; what it did; when.
 *
 * <pre>
 * put 1       inv       get=1     get=-     (absent)    get=1~    (flagged stale)
 * pia 1       pia! 1    (refused) cas 1 2   cas! 1 2    rep #3 2  rep! #3 2     inc 5=7
 * @0-10 (ok)  @0-?      (unknown) @0-x10    (failed)    a word #3 after the verb's: version 3 was told
 * </pre>
 */
final class Histories {
    private Histories() {}

    static History of(String... lines) {
        List<Operation> operations = new ArrayList<>();
        for (String line : lines) {
            operations.add(operation(operations.size() + 1, line.strip().split("\\s+")));
        }
        return History.of(operations);
    }

    static Version version(int n) {
        return Version.of(n, 0, 1);
    }

    private static Operation operation(int id, String[] words) {
        String[] who = words[0].split("/");
        String process = who[0];
        String key = who.length > 1 ? who[1] : "k";
        int at = words.length - 1;
        String[] times = words[at].substring(1).split("-");
        Version told = null;
        if (at > 2 && words[at - 1].startsWith("#")) {
            told = version(words[at - 1]);
        }
        String verb = words[1].split("[=!]")[0];
        boolean applied = !words[1].contains("!");
        String seen = words[1].contains("=") ? words[1].substring(words[1].indexOf('=') + 1) : null;
        Op op = switch (verb) {
            case "put" -> Op.put(key, words[2]);
            case "inv" -> Op.invalidate(key);
            case "get" -> Op.get(key);
            case "pia" -> Op.putIfAbsent(key, words[2]);
            case "cas" -> Op.compareAndSet(key, absent(words[2]), words[3]);
            case "rep" -> Op.replace(key, version(words[2]), words[3]);
            case "inc" -> Op.increment(key, Long.parseLong(words[2].split("=")[0]));
            default -> throw new IllegalArgumentException(verb);
        };
        if (verb.equals("inc") && words[2].contains("=")) {
            seen = words[2].split("=")[1];
        }
        boolean fresh = seen == null || !seen.endsWith("~");
        if (seen != null) {
            seen = absent(fresh ? seen : seen.substring(0, seen.length() - 1));
        }
        long invoked = Long.parseLong(times[0]);
        String node = process.contains("@") ? process.substring(process.indexOf('@') + 1) : process;
        String name = process.contains("@") ? process.substring(0, process.indexOf('@')) : process;
        if (times[1].equals("?")) {
            return new Operation(id, name, node, op, invoked, Operation.OPEN, Outcome.UNKNOWN, null);
        }
        if (times[1].startsWith("x")) {
            long returned = Long.parseLong(times[1].substring(1));
            return new Operation(id, name, node, op, invoked, returned, Outcome.FAIL, null);
        }
        Observed observed = new Observed(applied, seen, told, fresh);
        return new Operation(id, name, node, op, invoked, Long.parseLong(times[1]), Outcome.OK, observed);
    }

    private static Version version(String word) {
        return version(Integer.parseInt(word.substring(1)));
    }

    private static @Nullable String absent(String word) {
        return word.equals("-") ? null : word;
    }
}
