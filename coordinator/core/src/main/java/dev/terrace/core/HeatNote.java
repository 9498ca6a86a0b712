package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.spi.CacheKey;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Hot keys as they are noted in tiers. Big-endian: format 0x01; number of keys (2 bytes); of each: length of the cache name (1), length of
 * name and key (2), both, and the weight, a 32-bit float.
 */
final class HeatNote {
    static final int LONGEST_KEY_BYTES = 512;
    static final int MOST_KEYS = 1_000;
    private static final int FORMAT = 1;

    private HeatNote() {}

    /** A key and how hot it is, by reads since it was last counted. */
    record Warm(CacheKey key, double weight) {}

    static byte[] write(List<Warm> some) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(FORMAT);
            out.writeShort(some.size());
            for (Warm warm : some) {
                byte[] nameAndKey = warm.key().nameAndKey();
                out.writeByte(warm.key().nameLength());
                out.writeShort(nameAndKey.length);
                out.write(nameAndKey);
                out.writeFloat((float) warm.weight());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an array cannot fail", e);
        }
        return bytes.toByteArray();
    }

    /** What was written; nothing of what is of another format, or is not whole. */
    static List<Warm> read(byte[] note) {
        List<Warm> all = new ArrayList<>();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(note))) {
            int count = in.readUnsignedByte() == FORMAT ? in.readUnsignedShort() : 0;
            for (int i = 0; i < count; i++) {
                int nameLength = in.readUnsignedByte();
                byte[] nameAndKey = in.readNBytes(in.readUnsignedShort());
                if (nameLength < 1 || nameLength >= nameAndKey.length) {
                    return List.of();
                }
                String name = new String(nameAndKey, 0, nameLength, StandardCharsets.UTF_8);
                CacheKey key = CacheKey.of(name, Arrays.copyOfRange(nameAndKey, nameLength, nameAndKey.length));
                all.add(new Warm(key, in.readFloat()));
            }
            return all;
        } catch (IOException | BadInputException e) {
            return List.of();
        }
    }
}
