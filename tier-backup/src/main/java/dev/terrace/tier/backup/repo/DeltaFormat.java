package dev.terrace.tier.backup.repo;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The bytes of a delta: batches in the order in which they were committed. Layout in {@code docs/format-repository.md}. */
public final class DeltaFormat {
    private static final int MAGIC = 0x54444C54; // TDLT
    private static final int FORMAT = 1;
    private static final int FAMILY = 'F';
    private static final int BATCH = 'B';
    private static final int END = 'E';
    private static final int MOST_KEY_BYTES = 1 << 16;

    private DeltaFormat() {}

    /**
     * What was done to one key.
     *
     * @param family column family
     * @param key its key there
     * @param value null when it was removed
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Change(String family, byte[] key, byte @Nullable [] value) {}

    /**
     * Changes that were committed in one step.
     *
     * @param sequence number of the first
     * @param span how many numbers it takes, those of changes that are not kept included
     * @param atMillis when, milliseconds since the epoch
     * @param changes in order
     */
    public record Batch(long sequence, int span, long atMillis, List<Change> changes) {
        /** Copies. */
        public Batch {
            changes = List.copyOf(changes);
        }
    }

    /** Writes one delta. For one thread. */
    public static final class Encoder {
        private final DataOutputStream out;
        private final Map<String, Integer> families = new HashMap<>();

        /** Begins. */
        public Encoder(OutputStream out) throws IOException {
            this.out = new DataOutputStream(out);
            this.out.writeInt(MAGIC);
            this.out.writeByte(FORMAT);
        }

        /** Adds a batch. */
        public void batch(Batch batch) throws IOException {
            for (Change change : batch.changes()) {
                if (!families.containsKey(change.family())) {
                    byte[] name = change.family().getBytes(StandardCharsets.UTF_8);
                    families.put(change.family(), families.size());
                    out.writeByte(FAMILY);
                    out.writeShort(name.length);
                    out.write(name);
                }
            }
            out.writeByte(BATCH);
            out.writeLong(batch.sequence());
            out.writeInt(batch.span());
            out.writeLong(batch.atMillis());
            out.writeInt(batch.changes().size());
            for (Change change : batch.changes()) {
                out.writeShort(families.getOrDefault(change.family(), 0));
                out.writeInt(change.key().length);
                byte[] value = change.value();
                out.writeInt(value == null ? -1 : value.length);
                out.write(change.key());
                if (value != null) {
                    out.write(value);
                }
            }
        }

        /** Ends; without this it is not a delta. */
        public void end(long toSequence) throws IOException {
            out.writeByte(END);
            out.writeLong(toSequence);
            out.flush();
        }
    }

    /** Is told the batches. */
    public interface Visitor {
        /** Returns false to hear no more. */
        boolean batch(Batch batch) throws IOException;
    }

    /**
     * Reads one delta.
     *
     * @param bytes how long it is: what it declares is believed only within that
     * @throws IOException when it is not what an {@link Encoder} wrote
     */
    public static void read(InputStream stream, long bytes, Visitor visitor) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        if (in.readInt() != MAGIC || in.readUnsignedByte() != FORMAT) {
            throw new IOException("not a delta in a format that this version reads");
        }
        List<String> families = new ArrayList<>();
        try {
            for (int kind = in.readUnsignedByte(); kind != END; kind = in.readUnsignedByte()) {
                if (kind == FAMILY) {
                    families.add(new String(bytes(in, in.readUnsignedShort(), bytes), StandardCharsets.UTF_8));
                } else if (kind != BATCH || !visitor.batch(batch(in, families, bytes))) {
                    if (kind == BATCH) {
                        return;
                    }
                    throw new IOException("a delta holds something unknown: " + kind);
                }
            }
        } catch (EOFException e) {
            throw new IOException("a delta ends in the middle", e);
        }
    }

    private static Batch batch(DataInputStream in, List<String> families, long bytes) throws IOException {
        long sequence = in.readLong();
        int span = in.readInt();
        long at = in.readLong();
        int count = in.readInt();
        if (span < 0 || count < 0 || count > span) {
            throw new IOException("a delta declares a batch of " + count + " changes in " + span);
        }
        List<Change> changes = new ArrayList<>(Math.min(count, 1024));
        for (int i = 0; i < count; i++) {
            int family = in.readUnsignedShort();
            int keyBytes = in.readInt();
            int valueBytes = in.readInt();
            if (family >= families.size() || keyBytes < 0 || keyBytes > MOST_KEY_BYTES || valueBytes < -1) {
                throw new IOException("a delta declares a change that cannot be");
            }
            byte[] key = bytes(in, keyBytes, bytes);
            changes.add(new Change(families.get(family), key, valueBytes < 0 ? null : bytes(in, valueBytes, bytes)));
        }
        return new Batch(sequence, span, at, changes);
    }

    private static byte[] bytes(DataInputStream in, int length, long most) throws IOException {
        if (length > most) {
            throw new IOException("a delta declares more than it holds");
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }
}
