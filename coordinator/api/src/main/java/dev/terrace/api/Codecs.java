package dev.terrace.api;

import dev.terrace.spi.KeyBuffer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The codecs that need no library. JSON codecs live in the core module. */
public final class Codecs {
    private static final Codec<byte[]> BYTES = new BytesCodec();
    private static final Codec<String> STRING = new StringCodec();
    private static final Codec<Long> LONG = new LongCodec();
    private static final KeyCodec<String> STRING_KEY = new StringKeyCodec();
    private static final KeyCodec<byte[]> BYTES_KEY = new BytesKeyCodec();
    private static final KeyCodec<Long> LONG_KEY = new LongKeyCodec();

    private Codecs() {}

    /** Values that are bytes already. Copies on the way in and out. */
    public static Codec<byte[]> bytes() {
        return BYTES;
    }

    /** Text as UTF-8; refuses text with unpaired surrogates. */
    public static Codec<String> string() {
        return STRING;
    }

    /** Whole numbers as decimal text, the form that {@link Cache#increment} works on. */
    public static Codec<Long> decimal() {
        return LONG;
    }

    /** Text keys as UTF-8; refuses unpaired surrogates. */
    public static KeyCodec<String> stringKey() {
        return STRING_KEY;
    }

    /** Keys that are bytes already. */
    public static KeyCodec<byte[]> bytesKey() {
        return BYTES_KEY;
    }

    /** Keys that are numbers, as eight big-endian bytes. */
    public static KeyCodec<Long> longKey() {
        return LONG_KEY;
    }

    private static byte[] strictUtf8(String text) throws CharacterCodingException {
        ByteBuffer out = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        return Arrays.copyOfRange(out.array(), out.arrayOffset(), out.arrayOffset() + out.limit());
    }

    private static String strictText(byte[] bytes, int offset, int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, offset, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CodecException(length + " bytes that are not UTF-8 text", "read them with Codecs.bytes()", e);
        }
    }

    private static final class BytesCodec implements Codec<byte[]> {
        @Override
        public byte[] encode(byte[] value) {
            return value.clone();
        }

        @Override
        public byte[] decode(byte[] bytes, int offset, int length) {
            return Arrays.copyOfRange(bytes, offset, offset + length);
        }
    }

    private static final class StringCodec implements Codec<String> {
        @Override
        public byte[] encode(String value) {
            try {
                return strictUtf8(value);
            } catch (CharacterCodingException e) {
                throw new CodecException("text value with an unpaired surrogate", "store it with Codecs.bytes()", e);
            }
        }

        @Override
        public String decode(byte[] bytes, int offset, int length) {
            return strictText(bytes, offset, length);
        }
    }

    private static final class LongCodec implements Codec<Long> {
        @Override
        public byte[] encode(Long value) {
            return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
        }

        @Override
        public Long decode(byte[] bytes, int offset, int length) {
            try {
                return Long.parseLong(new String(bytes, offset, length, StandardCharsets.US_ASCII));
            } catch (NumberFormatException e) {
                throw new CodecException("value of " + length + " bytes is not a decimal number", "", e);
            }
        }
    }

    private static final class StringKeyCodec implements KeyCodec<String> {
        @Override
        public void encode(String key, KeyBuffer into) {
            if (into.writeAscii(key)) {
                return;
            }
            int length = key.length();
            for (int i = 0; i < length; i++) {
                char c = key.charAt(i);
                if (c < 0x80) {
                    into.write(c);
                } else if (c < 0x800) {
                    into.write(0xC0 | c >> 6);
                    into.write(0x80 | c & 0x3F);
                } else if (!Character.isSurrogate(c)) {
                    into.write(0xE0 | c >> 12);
                    into.write(0x80 | c >> 6 & 0x3F);
                    into.write(0x80 | c & 0x3F);
                } else if (Character.isHighSurrogate(c)
                        && i + 1 < length
                        && Character.isLowSurrogate(key.charAt(i + 1))) {
                    int point = Character.toCodePoint(c, key.charAt(++i));
                    into.write(0xF0 | point >> 18);
                    into.write(0x80 | point >> 12 & 0x3F);
                    into.write(0x80 | point >> 6 & 0x3F);
                    into.write(0x80 | point & 0x3F);
                } else {
                    throw new BadInputException(
                            "text key with an unpaired surrogate at index " + i + ", which has no UTF-8 form",
                            "use byte keys for such data");
                }
            }
        }

        @Override
        public String decode(byte[] bytes) {
            return strictText(bytes, 0, bytes.length);
        }
    }

    private static final class BytesKeyCodec implements KeyCodec<byte[]> {
        @Override
        public void encode(byte[] key, KeyBuffer into) {
            into.write(key, 0, key.length);
        }

        @Override
        public byte[] decode(byte[] bytes) {
            return bytes.clone();
        }
    }

    private static final class LongKeyCodec implements KeyCodec<Long> {
        @Override
        public void encode(Long key, KeyBuffer into) {
            into.writeLong(key);
        }

        @Override
        public Long decode(byte[] bytes) {
            if (bytes.length != Long.BYTES) {
                throw new CodecException("key of " + bytes.length + " bytes is not a number of eight", "", null);
            }
            return ByteBuffer.wrap(bytes).getLong();
        }
    }
}
