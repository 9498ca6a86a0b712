package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerraceCommandTest extends Commands {
    @TempDir
    Path folder;

    private Path settings(String yaml) throws IOException {
        return Files.writeString(folder.resolve("terrace.yaml"), yaml);
    }

    @Test
    void checksASettingsFile() throws IOException {
        Path file = settings("distributed_cache: {local_cache: {capacity: 5}}\n");
        assertThat(run("config", "check", file.toString())).isZero();
        assertThat(out).contains("capacity: 5\n").contains("# default");
    }

    @Test
    void printsEveryProblemAndExitsWithTwo() throws IOException {
        Path file = settings("distributed_cache: {local_cache: {capacty: 5, ttl: never}}\n");
        assertThat(run("config", "check", file.toString())).isEqualTo(2);
        assertThat(err).contains("did you mean 'capacity'?").contains("'never' must be a duration");
        assertThat(run("config", "check", "--json", file.toString())).isEqualTo(2);
        assertThat(out).contains("\"suggestion\" : \"capacity\"");
        assertThat(run("config", "check", folder.resolve("nothing.yaml").toString()))
                .isEqualTo(2);
        assertThat(err).contains("does not exist");
    }

    @Test
    void aWrongCommandLineExitsWithTwoAndAHint() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("gett")).isEqualTo(2);
        assertThat(err).contains("Did you mean");
        assertThat(run("get", "only-a-cache")).isEqualTo(2);
        assertThat(run("put", "c", "k")).isEqualTo(2);
        assertThat(run("invalidate", "c")).isEqualTo(2);
        assertThat(run("run", "--port", "many")).isEqualTo(2);
        assertThat(run("stats", "--timeout", "0")).isEqualTo(2);
        assertThat(err).contains("--timeout 0");
        assertThat(run("run", "--host", "0.0.0.0", "--config", "nothing.yaml")).isEqualTo(2);
    }

    @Test
    void anUnreachableNodeExitsWithThreeAndSaysSo() {
        assertThat(run("get", "c", "k", "--url", "http://127.0.0.1:1")).isEqualTo(3);
        assertThat(err).contains("no node answers at http://127.0.0.1:1").doesNotContain("\tat ");
        assertThat(run("stats", "--url", "not an address")).isEqualTo(2);
    }

    @Test
    void helpNamesTheExitCodesAndCompletionIsAScript() {
        assertThat(run("--help")).isZero();
        assertThat(out).contains("Exit codes:").contains("the node cannot be reached");
        assertThat(run("completion")).isZero();
        assertThat(out).contains("complete -F _complete_terrace");
    }
}
