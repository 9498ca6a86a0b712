package dev.terrace.tier.local;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What the file knows of itself besides its entries. Kept twice in the file, written in turn, so that one copy is always whole.
 *
 * @param file which file of which disk this is, as long as nobody copies it
 * @param boot which run of the machine wrote to the file last
 * @param clean whether the disk had everything when it was closed
 * @param places up to where channels had been heard; null when that is not known
 * @param syncedPlaces the same, as far as the disk has everything that was done by then; null when that is not known
 */
record FileState(
        String file,
        String boot,
        boolean clean,
        @Nullable Map<String, String> places,
        @Nullable Map<String, String> syncedPlaces) {
    static final int COPY_BYTES = 24 << 10;
    private static final int FIRST_AT = 4 << 10;
    private static final int FRAME_BYTES = Long.BYTES + Integer.BYTES + Integer.BYTES;

    /** A copy, and how many were written before it. */
    record Copy(long number, FileState state) {}

    /** The places to go on from; null when what the file holds cannot be trusted. */
    @Nullable
    Map<String, String> placesAfter(String bootNow) {
        return clean || boot.equals(bootNow) ? places : syncedPlaces;
    }

    /** Whether the machine stopped before the disk had everything. */
    boolean isTorn(String bootNow) {
        return !clean && !boot.equals(bootNow);
    }

    /** Writes the copy of this number; false when it is too long. */
    boolean write(ByteBuffer head, long number) {
        byte[] body = body();
        if (body.length > COPY_BYTES - FRAME_BYTES) {
            return false;
        }
        int at = at(number);
        head.putLong(at, number);
        head.putInt(at + Long.BYTES, body.length);
        head.putInt(at + Long.BYTES + Integer.BYTES, checksum(number, body));
        head.put(at + FRAME_BYTES, body);
        return true;
    }

    /** The newest whole copy; null when there is none. */
    static @Nullable Copy newest(ByteBuffer head) {
        Copy one = copy(head, 0);
        Copy other = copy(head, 1);
        return one == null || other != null && other.number() > one.number() ? other : one;
    }

    private static @Nullable Copy copy(ByteBuffer head, int which) {
        int at = at(which);
        long number = head.getLong(at);
        int length = head.getInt(at + Long.BYTES);
        if (number <= 0 || length <= 0 || length > COPY_BYTES - FRAME_BYTES) {
            return null;
        }
        byte[] body = new byte[length];
        head.get(at + FRAME_BYTES, body);
        if (head.getInt(at + Long.BYTES + Integer.BYTES) != checksum(number, body)) {
            return null;
        }
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(body))) {
            return new Copy(
                    number,
                    new FileState(in.readUTF(), in.readUTF(), in.readBoolean(), readPlaces(in), readPlaces(in)));
        } catch (IOException damaged) {
            return null;
        }
    }

    private static int at(long number) {
        return FIRST_AT + (int) (number & 1) * COPY_BYTES;
    }

    private static int checksum(long number, byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
        crc.update(body, 0, body.length);
        return (int) crc.getValue();
    }

    private byte[] body() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(file);
            out.writeUTF(boot);
            out.writeBoolean(clean);
            writePlaces(out, places);
            writePlaces(out, syncedPlaces);
        } catch (IOException impossible) {
            throw new UncheckedIOException("bytes in memory", impossible);
        }
        return bytes.toByteArray();
    }

    private static void writePlaces(DataOutputStream out, @Nullable Map<String, String> places) throws IOException {
        out.writeInt(places == null ? -1 : places.size());
        if (places != null) {
            for (Map.Entry<String, String> place : places.entrySet()) {
                out.writeUTF(place.getKey());
                out.writeUTF(place.getValue());
            }
        }
    }

    private static @Nullable Map<String, String> readPlaces(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0) {
            return null;
        }
        Map<String, String> places = new HashMap<>();
        for (int i = 0; i < count; i++) {
            places.put(in.readUTF(), in.readUTF());
        }
        return Map.copyOf(places);
    }
}
