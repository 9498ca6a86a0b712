package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Prints what became of a write. */
final class Receipts {
    private Receipts() {}

    /** That of a value. */
    static void print(PrintWriter out, JsonNode receipt, boolean json) {
        print(out, receipt.path("applied").asBoolean() ? "stored" : "not stored", receipt, json);
    }

    /** @param done what was done, for people */
    static void print(PrintWriter out, String done, JsonNode receipt, boolean json) {
        if (json) {
            out.println(receipt);
        } else {
            out.println(done
                    + "  version " + receipt.path("version").asText()
                    + "  in " + words(receipt.path("stored"))
                    + (receipt.path("missed").isEmpty() ? "" : "  missed " + words(receipt.path("missed")))
                    + copies(receipt.path("acknowledgements")));
        }
        out.flush();
    }

    private static String copies(JsonNode acks) {
        return acks.path("zones").isEmpty()
                ? ""
                : "  " + acks.path("mode").asText() + " by " + words(acks.path("zones"))
                        + (acks.path("hinted").isEmpty() ? "" : "  later to " + words(acks.path("hinted")));
    }

    private static String words(JsonNode list) {
        List<String> words = new ArrayList<>();
        list.forEach(word -> words.add(word.asText()));
        return words.isEmpty() ? "-" : String.join(" ", words);
    }
}
