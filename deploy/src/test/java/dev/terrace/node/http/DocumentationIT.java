package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.node.cli.Terrace;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Runs the commands that the documents tell people to run. */
class DocumentationIT {
    private static final Path ROOT = Path.of("..");

    @TempDir
    static Path folder;

    private static RedisProcess redis;
    private static NodeFixture node;

    @BeforeAll
    static void start() {
        redis = RedisProcess.start();
        node = new NodeFixture(redis.port(), folder.resolve("backup"), null, null);
        node.awaitReady();
    }

    @AfterAll
    static void stop() {
        node.close();
        redis.close();
    }

    private static List<String> lines(String start, String... documents) throws IOException {
        Stream<String> all = Stream.empty();
        for (String document : documents) {
            all = Stream.concat(all, Files.readAllLines(ROOT.resolve(document)).stream());
        }
        return all.filter(line -> line.startsWith(start)).toList();
    }

    @Test
    void everyCurlLineWorks() throws Exception {
        boolean hasCurl = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "curl")));
        assumeTrue(hasCurl, "skipped: curl is not installed here, so the documents' curl lines cannot be run");
        List<String> commands = lines("curl ", "README.md", "docs/http.md");
        assertThat(commands).hasSizeGreaterThan(10);
        for (String command : commands) {
            String here = command.replace("127.0.0.1:8080", "127.0.0.1:" + node.port())
                    .replaceFirst("curl ", "curl --fail --silent --show-error --max-time 20 ");
            Process process = new ProcessBuilder("bash", "-c", here)
                    .redirectErrorStream(true)
                    .start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(command).isTrue();
            assertThat(process.exitValue()).as("%s%n%s", command, printed).isZero();
        }
    }

    @Test
    void everyClientCommandWorks() throws IOException {
        List<String> commands = lines("./terrace ", "docs/cli.md", "README.md").stream()
                .filter(line -> line.matches("./terrace (put|get|explain|invalidate|stats|top|zones) .*"))
                .toList();
        assertThat(commands).hasSizeGreaterThan(5);
        node.send("PUT", "/v1/caches/demo/entries/greeting", "hello");
        for (String command : commands) {
            String words = command.substring("./terrace ".length()).replace("--watch", "--watch --count 1");
            String[] arguments = (words + " --url http://127.0.0.1:" + node.port()).split(" ");
            StringWriter err = new StringWriter();
            CommandLine line = Terrace.commandLine();
            line.setOut(new PrintWriter(new StringWriter()));
            line.setErr(new PrintWriter(err));
            assertThat(line.execute(arguments)).as("%s%n%s", command, err).isZero();
        }
    }

    @Test
    void everyLinkToAFileLeadsSomewhere() throws IOException {
        for (String document : List.of("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")) {
            String text = Files.readString(ROOT.resolve(document));
            java.util.regex.Matcher link =
                    java.util.regex.Pattern.compile("\\]\\((?!http)([^)#]+)\\)").matcher(text);
            while (link.find()) {
                assertThat(ROOT.resolve(link.group(1)))
                        .as("%s in %s", link.group(1), document)
                        .exists();
            }
        }
    }
}
