package dev.terrace.node.origin;

import dev.terrace.api.Codec;
import dev.terrace.api.CodecException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A response worth caching. Stored as: format byte 1, length of the content type (2 bytes), content type, body.
 *
 * @param contentType as the origin sent it
 * @param body as the origin sent it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record OriginResponse(String contentType, byte[] body) {
    private static final byte FORMAT = 1;
    private static final int LONGEST_CONTENT_TYPE = 1_024;

    /** A content type of absurd length is replaced by one that promises nothing. */
    public OriginResponse {
        if (contentType.length() > LONGEST_CONTENT_TYPE) {
            contentType = "application/octet-stream";
        }
    }

    /** Reads and writes the stored form. */
    public static final Codec<OriginResponse> CODEC = new Codec<>() {
        @Override
        public byte[] encode(OriginResponse value) {
            byte[] type = value.contentType().getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(3 + type.length + value.body().length)
                    .put(FORMAT)
                    .putShort((short) type.length)
                    .put(type)
                    .put(value.body())
                    .array();
        }

        @Override
        public OriginResponse decode(byte[] bytes, int offset, int length) {
            int typeLength = length < 3 ? -1 : (bytes[offset + 1] & 0xFF) << 8 | bytes[offset + 2] & 0xFF;
            if (typeLength < 0 || bytes[offset] != FORMAT || typeLength > length - 3) {
                throw new CodecException(length + " bytes are not a stored origin response", "", null);
            }
            int bodyFrom = offset + 3 + typeLength;
            return new OriginResponse(
                    new String(bytes, offset + 3, typeLength, StandardCharsets.UTF_8),
                    Arrays.copyOfRange(bytes, bodyFrom, offset + length));
        }
    };
}
