package dev.terrace.tier.backup.repo;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a folder remembers of the chain it writes: enough to see that somebody else has written to it.
 *
 * @param writer its number in the registry
 * @param last the newest generation that it knows to be its own, or null before the first
 * @param intents what it may have published since: remembered before each try, because its answer may be lost
 */
public record Place(int writer, @Nullable Ref last, List<Ref> intents) {
    private static final int MOST_INTENTS = 16;

    /** Where a place is remembered so that a kill or a power failure leaves the old or the new one. */
    public interface Memory {
        /** What was remembered last, or null. */
        @Nullable
        Place load() throws IOException;

        /** Remembers; durable when this returns. */
        void save(Place place) throws IOException;
    }

    /** Copies. */
    public Place {
        intents = List.copyOf(intents);
    }

    Place intending(Ref ref) {
        List<Ref> more = new ArrayList<>(intents);
        more.add(ref);
        return new Place(writer, last, more.subList(Math.max(0, more.size() - MOST_INTENTS), more.size()));
    }

    Place at(Ref ref) {
        return new Place(writer, ref, List.of());
    }

    /** The text form that {@link #parse} reads. */
    public String text() {
        StringBuilder out = new StringBuilder("terrace backup place\nformat=1\nwriter=").append(writer);
        Ref at = last;
        if (at != null) {
            out.append("\nlast=").append(at.number()).append(' ').append(at.hash());
        }
        intents.forEach(
                ref -> out.append("\nintent=").append(ref.number()).append(' ').append(ref.hash()));
        return out.append('\n').toString();
    }

    /**
     * Reads {@link #text}.
     *
     * @throws IllegalArgumentException when it is something else
     */
    public static Place parse(String text) {
        List<String> lines = text.lines().toList();
        if (lines.size() < 3
                || !lines.get(0).equals("terrace backup place")
                || !lines.get(1).equals("format=1")) {
            throw new IllegalArgumentException("not the place of a backup in a format that this version reads");
        }
        int writer = Integer.parseInt(value(lines.get(2), "writer"));
        Ref last = null;
        List<Ref> intents = new ArrayList<>();
        for (String line : lines.subList(3, lines.size())) {
            if (line.startsWith("last=")) {
                last = ref(value(line, "last"));
            } else {
                intents.add(ref(value(line, "intent")));
            }
        }
        return new Place(writer, last, intents);
    }

    private static String value(String line, String key) {
        if (!line.startsWith(key + "=")) {
            throw new IllegalArgumentException("expected " + key);
        }
        return line.substring(key.length() + 1);
    }

    private static Ref ref(String value) {
        int space = value.indexOf(' ');
        return new Ref(Long.parseLong(value.substring(0, Math.max(0, space))), value.substring(space + 1));
    }
}
