package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.tier.local.ContainerMemory.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerMemoryTest {
    @TempDir
    Path folder;

    private ContainerMemory inGroup(String group) throws IOException {
        Path own = folder.resolve("self");
        Files.writeString(own, "4:memory:/of/version/one\n0::" + group + "\n");
        return new ContainerMemory(folder.resolve("root"), own);
    }

    private void limit(String group, String max, long current) throws IOException {
        Path at = Files.createDirectories(folder.resolve("root").resolve(group));
        Files.writeString(at.resolve("memory.max"), max + "\n");
        Files.writeString(at.resolve("memory.current"), current + "\n");
    }

    @Test
    void theTightestOfTheGroupsAroundTheProcessDecides() throws IOException {
        limit("pod", "1000", 900);
        limit("pod/app", "800", 300);
        limit("other", "10", 10);
        assertThat(inGroup("/pod/app").read()).isEqualTo(new Reading(900, 1000));
        limit("pod", "max", 900);
        assertThat(inGroup("/pod/app").read()).isEqualTo(new Reading(300, 800));
    }

    @Test
    void aGroupOutsideOfTheOwnViewIsTheRoot() throws IOException {
        limit("", "500", 100);
        assertThat(inGroup("/../../x").read()).isEqualTo(new Reading(100, 500));
        assertThat(inGroup("/gone").read()).isEqualTo(new Reading(100, 500));
        assertThat(new ContainerMemory(folder.resolve("root"), folder.resolve("none")).read())
                .isEqualTo(new Reading(100, 500));
    }

    @Test
    void withoutALimitOrFilesNothingIsSaid() throws IOException {
        assertThat(inGroup("/").read()).isNull();
        limit("", "max", 100);
        assertThat(inGroup("/").read()).isNull();
    }

    @Test
    void whatIsThereAndCannotBeReadIsNotTakenForNoLimit() throws IOException {
        limit("", "many", 100);
        assertThatThrownBy(inGroup("/")::read).isInstanceOf(IOException.class);
        limit("", "1000", 100);
        limit("pod", "500", 100);
        Files.delete(folder.resolve("root/pod/memory.current"));
        Files.createDirectory(folder.resolve("root/pod/memory.current"));
        assertThatThrownBy(inGroup("/pod")::read).isInstanceOf(IOException.class);
        Path unreadable = Files.createDirectory(folder.resolve("directory"));
        assertThatThrownBy(new ContainerMemory(folder.resolve("root"), unreadable)::read)
                .isInstanceOf(IOException.class);
    }
}
