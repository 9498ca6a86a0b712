package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobSource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A folder of a simulation: its whole history, and what it remembers of its chain. Survives its processes. */
final class SimFolder implements Place.Memory {
    private static final int FILES = 3;

    final int lineage;
    final List<String[]> history = new ArrayList<>();
    private @Nullable Place place;

    SimFolder(int lineage) {
        this.lineage = lineage;
    }

    /** What copying the folder's disk gives. */
    SimFolder copy(int otherLineage) {
        SimFolder copy = new SimFolder(otherLineage);
        copy.history.addAll(history);
        copy.place = place;
        return copy;
    }

    @Override
    public @Nullable Place load() {
        return place;
    }

    @Override
    public void save(Place other) {
        place = Place.parse(other.text());
    }

    void put(String key, String value) {
        history.add(new String[] {key, value});
    }

    long sequence() {
        return history.size();
    }

    /** What it held after so many changes. */
    Map<String, String> at(long sequence) {
        Map<String, String> state = new TreeMap<>();
        history.subList(0, (int) sequence).forEach(change -> state.put(change[0], change[1]));
        return state;
    }

    Checkpoint checkpoint(long nowMillis) {
        List<Checkpoint.File> files = new ArrayList<>();
        files.add(new SimFile("CURRENT", lineage + "\n"));
        for (int i = 0; i < FILES; i++) {
            StringBuilder content = new StringBuilder();
            int part = i;
            at(sequence()).forEach((key, value) -> {
                if (Math.floorMod(key.hashCode(), FILES) == part) {
                    content.append(key).append('=').append(value).append('\n');
                }
            });
            String sha256 = Sha256.of(content.toString().getBytes(StandardCharsets.UTF_8));
            files.add(new SimFile(i + sha256.substring(0, 6) + ".sst", content.toString()));
        }
        return new Checkpoint(sequence(), nowMillis, files);
    }

    /** The changes after {@code sequence}. */
    byte[] delta(long sequence) {
        StringBuilder content = new StringBuilder().append(lineage).append('\n');
        for (long i = sequence; i < sequence(); i++) {
            String[] change = history.get((int) i);
            content.append(i + 1)
                    .append(' ')
                    .append(change[0])
                    .append('=')
                    .append(change[1])
                    .append('\n');
        }
        return content.toString().getBytes(StandardCharsets.UTF_8);
    }

    private record SimFile(String name, String content) implements Checkpoint.File {
        @Override
        public BlobSource source() {
            return BlobSource.of(content.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String tail() {
            return Sha256.of(content.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
        }
    }
}
