package dev.terrace.tier.local;

import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.core.util.ReadResolvable;
import net.openhft.chronicle.hash.Data;
import net.openhft.chronicle.hash.serialization.SizedReader;
import net.openhft.chronicle.hash.serialization.SizedWriter;
import org.jspecify.annotations.Nullable;

/** How keys and values cross into Chronicle's memory: straight between it and reusable arrays. Stateless singletons. */
@SuppressWarnings("rawtypes") // Chronicle's interfaces take the raw type
final class Marshallers {
    private Marshallers() {}

    static final class Key implements SizedReader<HashKey>, SizedWriter<HashKey>, ReadResolvable<Key> {
        static final Key INSTANCE = new Key();

        private Key() {}

        @Override
        public Key readResolve() {
            return INSTANCE;
        }

        @Override
        public HashKey read(Bytes in, long size, @Nullable HashKey using) {
            HashKey key = using == null ? new HashKey() : using;
            return key.set(in.readLong(), in.readLong());
        }

        @Override
        public long size(HashKey key) {
            return HashKey.BYTES;
        }

        @Override
        public void write(Bytes out, long size, HashKey key) {
            out.writeLong(key.high);
            out.writeLong(key.low);
        }
    }

    static final class Value implements SizedReader<StoredValue>, SizedWriter<StoredValue>, ReadResolvable<Value> {
        static final Value INSTANCE = new Value();

        private Value() {}

        /** Of a value in the map, without copying it. */
        static int slot(Data<StoredValue> stored) {
            return stored.bytes().readInt(stored.offset());
        }

        @Override
        public Value readResolve() {
            return INSTANCE;
        }

        @Override
        public StoredValue read(Bytes in, long size, @Nullable StoredValue using) {
            StoredValue value = using == null ? new StoredValue() : using;
            value.slot = in.readInt();
            value.deadlineMillis = in.readLong();
            value.resize((int) size - StoredValue.PREFIX_BYTES);
            // By offset: this form copies in one go, the streaming one eight bytes at a time.
            in.read(in.readPosition(), value.envelope, 0, value.length);
            return value;
        }

        @Override
        public long size(StoredValue value) {
            return (long) StoredValue.PREFIX_BYTES + value.length;
        }

        @Override
        public void write(Bytes out, long size, StoredValue value) {
            out.writeInt(value.slot);
            out.writeLong(value.deadlineMillis);
            out.write(value.envelope, 0, value.length);
        }
    }
}
