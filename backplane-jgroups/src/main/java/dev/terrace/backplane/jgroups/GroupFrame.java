package dev.terrace.backplane.jgroups;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What travels, big-endian; first a byte that is the kind and, in the high bits, the format. */
sealed interface GroupFrame {
    /** Format 1, kinds 1 and 2. */
    byte OFFER = 0x11;

    byte ORDER = 0x12;

    /** Bytes of an order without parts, and of a part without notices. */
    int ORDER_BYTES = 1 + 8 + 8 + 4;

    int PART_BYTES = 8 + 8 + 8 + 4 + 4;

    /**
     * One batch of one publisher, to the coordinator: please number this.
     *
     * @param publisher names the publisher's channel
     * @param batch counts the publisher's batches
     * @param speaksOf the reign whose positions a beat among them speaks of; 0 when there is none
     * @param count how many notices
     * @param notices in their format
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Offer(long publisher, long batch, long speaksOf, int count, byte[] notices) implements GroupFrame {
        byte[] bytes() {
            ByteBuffer out =
                    ByteBuffer.allocate(1 + PART_BYTES + notices.length).put(OFFER);
            writeTo(out);
            return out.array();
        }

        private void writeTo(ByteBuffer out) {
            out.putLong(publisher)
                    .putLong(batch)
                    .putLong(speaksOf)
                    .putInt(count)
                    .putInt(notices.length)
                    .put(notices);
        }
    }

    /**
     * Batches in their order, from the coordinator to all. Without parts it tells where the log stands.
     *
     * @param identity names the reign of this coordinator
     * @param last position of the last notice in it
     */
    record Order(long identity, long last, List<Offer> parts) implements GroupFrame {
        byte[] bytes() {
            int length = ORDER_BYTES;
            for (Offer part : parts) {
                length += PART_BYTES + part.notices().length;
            }
            ByteBuffer out = ByteBuffer.allocate(length)
                    .put(ORDER)
                    .putLong(identity)
                    .putLong(last)
                    .putInt(parts.size());
            parts.forEach(part -> part.writeTo(out));
            return out.array();
        }

        long count() {
            return parts.stream().mapToLong(Offer::count).sum();
        }
    }

    /** Reads a frame; null when it is none that this build knows. */
    static @Nullable GroupFrame read(byte[] bytes, int offset, int length) {
        ByteBuffer in = ByteBuffer.wrap(bytes, offset, length);
        try {
            byte kind = in.get();
            if (kind == OFFER) {
                return offer(in);
            }
            if (kind != ORDER) {
                return null;
            }
            long identity = in.getLong();
            long last = in.getLong();
            int parts = in.getInt();
            if (parts < 0 || parts > in.remaining() / PART_BYTES) {
                return null;
            }
            List<Offer> read = new ArrayList<>(parts);
            for (int i = 0; i < parts; i++) {
                Offer part = offer(in);
                if (part == null) {
                    return null;
                }
                read.add(part);
            }
            return new Order(identity, last, read);
        } catch (BufferUnderflowException cutShort) {
            return null;
        }
    }

    private static @Nullable Offer offer(ByteBuffer in) {
        long publisher = in.getLong();
        long batch = in.getLong();
        long speaksOf = in.getLong();
        int count = in.getInt();
        int length = in.getInt();
        if (count < 0 || length < 0 || length > in.remaining()) {
            return null;
        }
        byte[] notices = new byte[length];
        in.get(notices);
        return new Offer(publisher, batch, speaksOf, count, notices);
    }
}
