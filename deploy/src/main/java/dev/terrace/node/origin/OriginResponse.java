package dev.terrace.node.origin;

import dev.terrace.api.Codec;
import dev.terrace.api.CodecException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A response worth caching. Stored as: format byte 1, length of the content type (2 bytes), content type, body; with an entity tag as
 * format byte 2, length of the content type (2 bytes), content type, length of the tag (2 bytes), tag, body.
 *
 * @param contentType as the origin sent it
 * @param body as the origin sent it
 * @param etag as the origin sent it; empty without one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record OriginResponse(String contentType, byte[] body, String etag) {
    private static final byte FORMAT = 1;
    private static final byte FORMAT_WITH_TAG = 2;
    private static final int LONGEST_TAG = 1_024;
    private static final int LONGEST_CONTENT_TYPE = 1_024;

    /** A content type of absurd length is replaced by one that promises nothing, such a tag by none. */
    public OriginResponse {
        if (contentType.length() > LONGEST_CONTENT_TYPE) {
            contentType = "application/octet-stream";
        }
        if (etag.length() > LONGEST_TAG) {
            etag = "";
        }
    }

    /** Reads and writes the stored form. */
    public static final Codec<OriginResponse> CODEC = new Codec<>() {
        @Override
        public byte[] encode(OriginResponse value) {
            byte[] type = value.contentType().getBytes(StandardCharsets.UTF_8);
            byte[] tag = value.etag().getBytes(StandardCharsets.UTF_8);
            boolean tagged = tag.length > 0;
            ByteBuffer bytes = ByteBuffer.allocate(
                            3 + type.length + (tagged ? 2 + tag.length : 0) + value.body().length)
                    .put(tagged ? FORMAT_WITH_TAG : FORMAT)
                    .putShort((short) type.length)
                    .put(type);
            if (tagged) {
                bytes.putShort((short) tag.length).put(tag);
            }
            return bytes.put(value.body()).array();
        }

        @Override
        public OriginResponse decode(byte[] bytes, int offset, int length) {
            ByteBuffer in = ByteBuffer.wrap(bytes, offset, length);
            try {
                byte format = in.get();
                if (format != FORMAT && format != FORMAT_WITH_TAG) {
                    throw unreadable(length);
                }
                String type = text(in);
                String tag = format == FORMAT_WITH_TAG ? text(in) : "";
                byte[] body = new byte[in.remaining()];
                in.get(body);
                return new OriginResponse(type, body, tag);
            } catch (BufferUnderflowException e) {
                throw unreadable(length);
            }
        }
    };

    private static String text(ByteBuffer in) {
        int length = in.getShort() & 0xFFFF;
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] text = new byte[length];
        in.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static CodecException unreadable(int length) {
        return new CodecException(length + " bytes are not a stored origin response", "", null);
    }
}
