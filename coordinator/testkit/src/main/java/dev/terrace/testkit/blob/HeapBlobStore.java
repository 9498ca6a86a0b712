package dev.terrace.testkit.blob;

import dev.terrace.spi.BlobCapabilities;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobName;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.blob.BlobStep.Operation;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One process's view of a {@link HeapBucket}, with faults by plan. Each {@link BlobStep} is atomic, so a test that holds back steps chooses the
 * interleaving. After a crash every call throws {@link SimulatedCrash}; the bucket lives on, and another store is opened on it. Thread-safe.
 */
public final class HeapBlobStore implements BlobStore {
    private final HeapBucket bucket;
    private final String folder;
    private final BlobCapabilities capabilities;
    private final AtomicLong steps = new AtomicLong();
    private volatile BlobFault.Plan plan = step -> BlobFault.NONE;
    private volatile boolean crashed;
    private volatile boolean closed;

    HeapBlobStore(HeapBucket bucket, String folder) {
        this.bucket = bucket;
        this.folder = folder;
        capabilities = new BlobCapabilities(bucket.honoursConditions());
    }

    /** What becomes of the steps from now on. */
    public HeapBlobStore withFaults(BlobFault.Plan next) {
        plan = next;
        return this;
    }

    /** The process dies at the step of this number, before or after it took effect. */
    public HeapBlobStore crashingAt(long number, boolean after) {
        BlobFault fault = after ? BlobFault.TAKES_EFFECT_AND_CRASHES : BlobFault.CRASHES;
        return withFaults(step -> step.number() == number ? fault : BlobFault.NONE);
    }

    /** The process is dead from now on. */
    public void crash() {
        crashed = true;
    }

    /** How many steps were taken so far. */
    public long steps() {
        return steps.get();
    }

    @Override
    public URI location() {
        return URI.create("heap:/" + folder);
    }

    @Override
    public BlobCapabilities capabilities() {
        return capabilities;
    }

    /** What a step does to the bucket. */
    private interface Effect<T> {
        T apply() throws BlobException;
    }

    private <T> T step(Operation operation, String name, Effect<T> effect) throws BlobException {
        return step(operation, name, fault(operation, name), effect);
    }

    private <T> T step(Operation operation, String name, BlobFault fault, Effect<T> effect) throws BlobException {
        T result = fault.takesEffect() ? effect.apply() : null;
        if (fault != BlobFault.NONE && operation == Operation.WRITE && !fault.takesEffect()) {
            bucket.leaveUnfinished();
        }
        if (fault.crashes()) {
            crashed = true;
            throw new SimulatedCrash(operation + " " + name);
        }
        if (fault != BlobFault.NONE || result == null) {
            throw unavailable(name, null);
        }
        return result;
    }

    private BlobFault fault(Operation operation, String name) throws BlobException {
        alive(name);
        BlobFault fault = plan.at(new BlobStep(steps.incrementAndGet(), operation, name));
        alive(name);
        return fault;
    }

    private void alive(String name) throws BlobException {
        if (crashed) {
            throw new SimulatedCrash("after the crash: " + name);
        }
        if (closed) {
            throw new BlobException(Kind.CLOSED, "the blob store " + location() + " is closed", null);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new BlobException(Kind.INTERRUPTED, "interrupted at " + name, null);
        }
    }

    private static BlobException unavailable(String name, @Nullable Throwable cause) {
        return new BlobException(Kind.UNAVAILABLE, "blob " + name + ": as the test says", cause);
    }

    @Override
    public Optional<Stat> stat(String name) throws BlobException {
        BlobName.require(name);
        return step(
                Operation.STAT,
                name,
                () -> Optional.ofNullable(bucket.get(folder + name))
                        .map(blob -> new Stat(name, blob.bytes().length, blob.modifiedMillis())));
    }

    @Override
    public Optional<byte[]> read(String name, int mostBytes) throws BlobException {
        BlobName.require(name);
        return step(Operation.READ, name, () -> {
            HeapBucket.Blob blob = bucket.get(folder + name);
            if (blob == null) {
                return Optional.empty();
            }
            if (blob.bytes().length > mostBytes) {
                throw new BlobException(
                        Kind.TOO_LARGE,
                        "blob " + name + " has " + blob.bytes().length + " bytes; at most " + mostBytes + " are read",
                        null);
            }
            return Optional.of(blob.bytes().clone());
        });
    }

    @Override
    public InputStream open(String name, long offset, long length) throws BlobException {
        BlobName.require(name);
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("offset " + offset + ", length " + length);
        }
        BlobFault fault = fault(Operation.OPEN, name);
        boolean breaks = fault == BlobFault.BREAKS_HALFWAY;
        return step(Operation.OPEN, name, breaks ? BlobFault.NONE : fault, () -> {
            HeapBucket.Blob blob = bucket.get(folder + name);
            if (blob == null) {
                throw new BlobException(Kind.ABSENT, "there is no blob " + name, null);
            }
            if (offset > blob.bytes().length || length > blob.bytes().length - offset) {
                throw new BlobException(
                        Kind.CORRUPT,
                        "blob " + name + " has " + blob.bytes().length + " bytes; wanted " + length + " from " + offset,
                        null);
            }
            byte[] wanted = Arrays.copyOfRange(blob.bytes(), (int) offset, (int) (offset + length));
            return breaks ? new Breaking(name, wanted) : new ByteArrayInputStream(wanted);
        });
    }

    /** Half of the bytes and then an exception. */
    private static final class Breaking extends InputStream {
        private final String name;
        private final ByteArrayInputStream half;

        Breaking(String name, byte[] bytes) {
            this.name = name;
            half = new ByteArrayInputStream(bytes, 0, bytes.length / 2);
        }

        @Override
        public int read() throws IOException {
            int next = half.read();
            return next < 0 ? broken() : next;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int count = length == 0 ? 0 : half.read(into, offset, length);
            return count < 0 ? broken() : count;
        }

        private int broken() throws IOException {
            throw new IOException("blob " + name + " broke off", unavailable(name, null));
        }
    }

    @Override
    public Written write(String name, BlobSource source, boolean onlyIfAbsent) throws BlobException {
        BlobName.require(name);
        if (onlyIfAbsent && !capabilities.createsIfAbsent()) {
            throw new BlobException(Kind.UNSUPPORTED, location() + " cannot create " + name + " only if absent", null);
        }
        if (onlyIfAbsent && source.length() > MOST_BYTES_IF_ABSENT) {
            throw new BlobException(
                    Kind.TOO_LARGE,
                    "blob " + name + " has " + source.length() + " bytes; created only if absent it may have "
                            + MOST_BYTES_IF_ABSENT,
                    null);
        }
        alive(name);
        byte[] bytes = bytes(name, source);
        bucket.requireNoFolder(folder + name);
        return step(
                Operation.WRITE,
                name,
                () -> bucket.put(folder + name, bytes, onlyIfAbsent) ? Written.STORED : Written.EXISTED);
    }

    private static byte[] bytes(String name, BlobSource source) throws BlobException {
        try (InputStream in = source.open(0)) {
            byte[] bytes = in.readAllBytes();
            if (bytes.length != source.length()) {
                throw new BlobException(
                        Kind.CORRUPT,
                        "blob " + name + " was to have " + source.length() + " bytes, its source has " + bytes.length,
                        null);
            }
            return bytes;
        } catch (IOException e) {
            throw new BlobException(Kind.CORRUPT, "the source of blob " + name + " cannot be read", e);
        }
    }

    @Override
    public Page list(String prefix, @Nullable String after, int most) throws BlobException {
        BlobName.requirePrefix(prefix);
        if (most < 1) {
            throw new IllegalArgumentException("a page of " + most);
        }
        return step(Operation.LIST, prefix, () -> {
            boolean onward = after != null && after.compareTo(prefix) >= 0;
            List<Stat> found = new ArrayList<>();
            for (Map.Entry<String, Stat> one :
                    bucket.listed(folder + (onward ? after : prefix), !onward).entrySet()) {
                if (!one.getKey().startsWith(folder + prefix)) {
                    break;
                }
                if (found.size() == most) {
                    return new Page(found, found.get(most - 1).name());
                }
                Stat stat = one.getValue();
                found.add(new Stat(one.getKey().substring(folder.length()), stat.bytes(), stat.modifiedMillis()));
            }
            return new Page(found, null);
        });
    }

    @Override
    public void delete(Collection<String> names) throws BlobException {
        names.forEach(BlobName::require);
        for (String name : names) {
            step(Operation.DELETE, name, () -> {
                bucket.remove(folder + name);
                return true;
            });
        }
    }

    @Override
    public int discardUnfinished(long olderThanMillis) throws BlobException {
        return step(Operation.DISCARD, "", () -> bucket.discardUnfinished(olderThanMillis));
    }

    @Override
    public void close() {
        closed = true;
    }
}
