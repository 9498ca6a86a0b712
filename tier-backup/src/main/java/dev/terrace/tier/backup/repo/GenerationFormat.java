package dev.terrace.tier.backup.repo;

import dev.terrace.tier.backup.repo.Generation.Content;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Prune;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import dev.terrace.tier.backup.repo.Roots.Epoch;
import java.util.ArrayList;
import java.util.List;

/** The bytes of a generation: canonical JSON in a {@link Signed} envelope. One text for each value. */
final class GenerationFormat {
    /** What this build writes. */
    static final int FORMAT = 1;

    /** Nothing longer is read. */
    static final int MOST_BYTES = 64 << 20;

    private static final String HEAD = "{\"format\":";

    private GenerationFormat() {}

    static byte[] encode(Generation generation, SigningKey key) {
        StringBuilder out = new StringBuilder(512)
                .append(HEAD)
                .append(FORMAT)
                .append(",\"kind\":\"")
                .append(kind(generation.content()))
                .append("\",\"writer\":")
                .append(generation.writer())
                .append(",\"number\":")
                .append(generation.number())
                .append(",\"parent\":\"")
                .append(generation.parent())
                .append("\",\"at\":")
                .append(generation.atMillis());
        if (generation.content() instanceof Snapshot snapshot) {
            putRoots(out, snapshot.roots());
            out.append(",\"writers\":").append(snapshot.writers());
            out.append(",\"sequence\":").append(snapshot.sequence());
            out.append(",\"as_of\":").append(snapshot.asOfMillis());
            out.append(",\"files\":[");
            separated(out, snapshot.files(), file -> {
                out.append("[\"").append(file.file()).append("\",\"").append(file.tail());
                out.append("\",");
                putBlob(out, file.blob());
                out.append(']');
            });
            out.append("],\"deltas\":[");
            separated(out, snapshot.deltas(), delta -> putDelta(out, delta));
            out.append(']');
        } else if (generation.content() instanceof Delta delta) {
            out.append(",\"root\":");
            putRef(out, delta.root());
            out.append(",\"base\":");
            putRef(out, delta.base());
            out.append(",\"delta\":");
            putDelta(out, delta.delta());
        } else if (generation.content() instanceof Prune prune) {
            putRoots(out, prune.roots());
            out.append(",\"base\":");
            putRef(out, prune.base());
        }
        return Signed.sign(out.append('}').toString(), key);
    }

    private static String kind(Content content) {
        return content instanceof Snapshot ? "snapshot" : content instanceof Delta ? "delta" : "prune";
    }

    private interface Put<T> {
        void put(T item);
    }

    private static <T> void separated(StringBuilder out, List<T> items, Put<T> put) {
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                out.append(',');
            }
            put.put(items.get(i));
        }
    }

    private static void putRoots(StringBuilder out, Roots roots) {
        out.append(",\"epochs\":[");
        separated(
                out,
                roots.epochs(),
                epoch -> out.append('[')
                        .append(epoch.number())
                        .append(',')
                        .append(epoch.atMillis())
                        .append(']'));
        out.append("],\"kept\":[");
        separated(out, roots.kept(), segment -> {
            out.append('[');
            putRef(out, segment.first());
            out.append(',');
            putRef(out, segment.last());
            out.append(',').append(segment.asOfMillis()).append(',').append(segment.throughMillis());
            out.append(']');
        });
        out.append(']');
    }

    private static void putRef(StringBuilder out, Ref ref) {
        out.append('[').append(ref.number()).append(",\"").append(ref.hash()).append("\"]");
    }

    private static void putBlob(StringBuilder out, BlobRef blob) {
        out.append('"').append(blob.name()).append("\",").append(blob.bytes());
        out.append(",\"").append(blob.sha256()).append('"');
    }

    private static void putDelta(StringBuilder out, DeltaRef delta) {
        out.append('[');
        putBlob(out, delta.blob());
        out.append(',').append(delta.fromSequence()).append(',').append(delta.toSequence());
        out.append(',').append(delta.throughMillis()).append(']');
    }

    /**
     * Reads one that was found at a place, and believes it only there.
     *
     * @throws DamagedException when it is anything but what was published as that number of that writer
     */
    static Generation decode(int writer, long number, byte[] all, RepositoryKeys keys) throws DamagedException {
        String blob = Names.generation(writer, number);
        byte[] line = Signed.open(blob, all, keys);
        Generation found;
        try {
            Cursor in = new Cursor(line).literal(HEAD);
            int format = in.smallNumber();
            if (format != FORMAT) {
                throw new DamagedException(
                        Problem.Kind.UNKNOWN_FORMAT,
                        blob,
                        "format " + format + " was written by a later version; this one reads " + FORMAT);
            }
            found = read(in);
            in.end();
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new DamagedException(Problem.Kind.MALFORMED, blob, "it is not a generation: " + e.getMessage());
        }
        if (found.writer() != writer || found.number() != number) {
            throw new DamagedException(
                    Problem.Kind.WRONG_PLACE,
                    blob,
                    "it is generation " + found.number() + " of writer " + found.writer() + ", put in another's place");
        }
        return found;
    }

    private static Generation read(Cursor in) {
        String kind = in.literal(",\"kind\":").string();
        int writer = in.literal(",\"writer\":").smallNumber();
        long number = in.literal(",\"number\":").number();
        String parent = in.literal(",\"parent\":").string();
        long at = in.literal(",\"at\":").number();
        Content content = switch (kind) {
            case "snapshot" -> snapshot(in);
            case "delta" ->
                new Delta(
                        ref(in.literal(",\"root\":")), ref(in.literal(",\"base\":")), delta(in.literal(",\"delta\":")));
            case "prune" -> new Prune(roots(in), ref(in.literal(",\"base\":")));
            default -> throw new IllegalArgumentException("unknown kind");
        };
        in.literal("}");
        return new Generation(writer, number, parent, at, content);
    }

    private static Snapshot snapshot(Cursor in) {
        Roots roots = roots(in);
        int writers = in.literal(",\"writers\":").smallNumber();
        long sequence = in.literal(",\"sequence\":").number();
        long asOf = in.literal(",\"as_of\":").number();
        List<FileRef> files = new ArrayList<>();
        in.literal(",\"files\":").list(() -> {
            String file = in.literal("[").string();
            String tail = in.literal(",").string();
            files.add(new FileRef(file, tail, blob(in.literal(","))));
            in.literal("]");
        });
        List<DeltaRef> deltas = new ArrayList<>();
        in.literal(",\"deltas\":").list(() -> deltas.add(delta(in)));
        return new Snapshot(roots, writers, sequence, asOf, files, deltas);
    }

    private static Roots roots(Cursor in) {
        List<Epoch> epochs = new ArrayList<>();
        in.literal(",\"epochs\":").list(() -> {
            long number = in.literal("[").number();
            epochs.add(new Epoch(number, in.literal(",").number()));
            in.literal("]");
        });
        List<Segment> kept = new ArrayList<>();
        in.literal(",\"kept\":").list(() -> {
            Ref first = ref(in.literal("["));
            Ref last = ref(in.literal(","));
            long asOf = in.literal(",").number();
            kept.add(new Segment(first, last, asOf, in.literal(",").number()));
            in.literal("]");
        });
        return new Roots(epochs, kept);
    }

    private static Ref ref(Cursor in) {
        long number = in.literal("[").number();
        Ref ref = new Ref(number, in.literal(",").string());
        in.literal("]");
        return ref;
    }

    private static BlobRef blob(Cursor in) {
        String name = in.string();
        long bytes = in.literal(",").number();
        return new BlobRef(name, bytes, in.literal(",").string());
    }

    private static DeltaRef delta(Cursor in) {
        BlobRef blob = blob(in.literal("["));
        long from = in.literal(",").number();
        long to = in.literal(",").number();
        DeltaRef delta = new DeltaRef(blob, from, to, in.literal(",").number());
        in.literal("]");
        return delta;
    }
}
