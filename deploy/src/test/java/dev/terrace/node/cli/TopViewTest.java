package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TopViewTest {
    private static final String NODE = """
            {"enabled": true, "entries": %d, "capacity": 1000,
             "bytes": {"live": 1048576, "limit": 2097152, "full_limit": 4194304, "index": 1024, "heap": 2048,
                       "reserved": 5242880, "resident": 1572864, "allowed": 8388608},
             "container": {"used": 943718400, "max": 1048576000, "shrinks": 1},
             "evictions": {"size": %d, "expired": 3, "shrink": 0},
             "parts": [{"cache": "quotes", "class": "hot", "entries": 400, "bytes": 786432,
                        "evictions": {"size": %d}},
                       {"cache": "evil\\u001b[2J", "class": "", "entries": 1, "bytes": 100, "evictions": {}}],
             "shares": [{"name": "class hot", "reserved_percent": 20, "most_percent": 60, "entries": 400, "bytes": 786432}],
             "sizes": [{"up_to": 1024, "entries": 300}, {"up_to": 2048, "entries": 100}],
             "reads": [{"cache": "quotes", "near": 10, "l1": %d, "below": %d}],
             "hottest": [{"cache": "quotes", "key": "AAPL", "reads": 640, "at_most": 768},
                         {"cache": "quotes", "key": "MSFT", "reads": 512, "at_most": 512}]}
            """;

    private static JsonNode node(int entries, int evicted, int hits, int below) throws IOException {
        return new ObjectMapper().readTree(NODE.formatted(entries, evicted, evicted, hits, below));
    }

    @Test
    void showsWhatHappenedBetweenTwoLooks() throws IOException {
        List<String> lines = new TopView(node(401, 12, 180, 30), node(390, 5, 90, 20), 2, 10).lines();
        assertThat(lines)
                .anySatisfy(line -> assertThat(line).contains("entries   401 of 1,000"))
                .anySatisfy(line -> assertThat(line).contains("1.0 MiB of 2.0 MiB", "###############...."))
                .anySatisfy(
                        line -> assertThat(line).contains("1.5 MiB resident", "5.0 MiB reserved", "allowed 8.0 MiB"))
                .anySatisfy(line -> assertThat(line).contains("900.0 MiB of 1000.0 MiB, L1 is shrunk"))
                .anySatisfy(line -> assertThat(line).isEqualTo("evictions size=7"))
                .anySatisfy(line -> assertThat(line).contains("quotes", "hot", "37.5%", "50", "90.0", "size=7"))
                .anySatisfy(line -> assertThat(line).contains("class hot", "20%", "60%"))
                .anySatisfy(line -> assertThat(line).contains("up to  1.0 KiB", "300"))
                .anySatisfy(line -> assertThat(line).contains("AAPL").endsWith(" 640 to 768"))
                .anySatisfy(line -> assertThat(line).contains("MSFT").endsWith(" 512"));
    }

    @Test
    void theFirstLookCountsFromTheStart() throws IOException {
        TopView view = new TopView(node(401, 12, 180, 30), null, 0, 10);
        assertThat(view.lines())
                .anySatisfy(line -> assertThat(line).isEqualTo("evictions expired=3 size=12 since the start"))
                .anySatisfy(line -> assertThat(line).contains("quotes", "86.4"));
        assertThat(view.line())
                .isEqualTo(
                        "entries=401 bytes=1048576 limit=2097152 resident=1572864 hit_ratio=86.4 reads=220 evictions=15");
    }

    @Test
    void namesThatWouldSteerTheTerminalDoNotReachItAndRowsAreLimited() throws IOException {
        assertThat(new TopView(node(1, 0, 0, 0), null, 0, 10).lines())
                .noneMatch(line -> line.contains("\u001b"))
                .anyMatch(line -> line.contains("evil?[2J"));
        assertThat(new TopView(node(1, 0, 0, 0), null, 0, 1).lines())
                .contains("... and 1 more; --rows shows them")
                .noneMatch(line -> line.contains("evil"));
    }

    @Test
    void noMoreDoThoseBeyondAsciiAndNoCharacterIsCutInTwo() throws IOException {
        String steering = "\u009d0;title\u009c\u0085\u2028\u202e\ud83d";
        ObjectNode node = new ObjectMapper().createObjectNode().put("enabled", true);
        node.putArray("hottest").addObject().put("cache", steering).put("key", "k".repeat(38) + "\ud83d\ude00xy");
        assertThat(new TopView(node, null, 0, 10).lines())
                .anyMatch(line -> line.contains("?0;title?????") && line.contains("k".repeat(38) + "~"));
        assertThat(NodeClient.ascii(node)).matches("[\\x20-\\x7e]+");
        assertThat(new ObjectMapper().readTree(NodeClient.ascii(node))).isEqualTo(node);
    }

    @Test
    void aNodeThatBeganAnewHasNoNegativeCounts() throws IOException {
        TopView view = new TopView(node(401, 12, 180, 30), node(401, 500, 9_000, 700), 2, 10);
        assertThat(view.line()).contains("hit_ratio=85.7 reads=210 evictions=12");
        assertThat(view.lines())
                .contains("evictions size=12")
                .anySatisfy(line -> assertThat(line).contains("quotes", "105", "85.7", "size=12"));
    }

    @Test
    void aNodeWithoutL1SaysSo() throws IOException {
        JsonNode none = new ObjectMapper().readTree("{\"enabled\": false}");
        assertThat(new TopView(none, null, 0, 1).lines())
                .singleElement()
                .asString()
                .contains("no L1");
    }
}
