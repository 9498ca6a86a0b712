package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The map that outlives its process: records in a mapped file, indexed in memory. Nothing in the file is a lock or a reference, so
 * nothing that a killed process, a disk or a stranger leaves there can hang or crash this one; what is found is checked record by record.
 */
final class FileMap implements EntryMap {
    /** More would not make it quicker: they wait for memory. */
    private static final int MOST_THREADS = 4;

    private final FileLayout layout;
    private final FileSegment[] segments;
    private final MappedByteBuffer highWaters;
    private final Runnable closing;

    private FileMap(FileLayout layout, FileSegment[] segments, MappedByteBuffer highWaters, Runnable closing) {
        this.highWaters = highWaters;
        this.layout = layout;
        this.segments = segments;
        this.closing = closing;
    }

    /**
     * Maps a file of the layout's size.
     *
     * @param secret of this file
     * @param closing called last by {@link #close}
     */
    static FileMap map(FileChannel file, FileLayout layout, long secret, Runnable closing) throws IOException {
        FileSegment[] segments = new FileSegment[layout.segments()];
        MappedByteBuffer highWaters = file.map(
                MapMode.READ_WRITE, FileHeader.HIGH_WATERS_AT, FileHeader.HEAD_BYTES - FileHeader.HIGH_WATERS_AT);
        for (int i = 0; i < segments.length; i++) {
            long salt = FileHeader.mix(secret + i);
            segments[i] = new FileSegment(
                    file.map(MapMode.READ_WRITE, layout.segmentAt(i), layout.segmentBytes()),
                    new HighWater(highWaters, i, salt, layout.segmentBytes() / layout.chunkBytes()),
                    salt,
                    layout.chunkBytes(),
                    layout.entriesPerSegment());
        }
        return new FileMap(layout, segments, highWaters, closing);
    }

    /**
     * Finds what an earlier process left, with several threads.
     *
     * @param torn whether the machine stopped before the disk had everything
     * @return how many segments could not be read and were emptied
     */
    int attach(FileSegment.Adopter adopter, boolean torn) {
        int threads = Math.min(
                segments.length, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
        AtomicInteger next = new AtomicInteger();
        AtomicInteger dropped = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "terrace-l1-attach");
            thread.setDaemon(true);
            return thread;
        });
        try {
            CompletableFuture<?>[] all = new CompletableFuture<?>[threads];
            for (int i = 0; i < threads; i++) {
                all[i] = CompletableFuture.runAsync(
                        () -> {
                            Harvest found = new Harvest(adopter.groups());
                            for (int at = next.getAndIncrement(); at < segments.length; at = next.getAndIncrement()) {
                                dropped.addAndGet(segments[at].attach(adopter, found, torn) ? 0 : 1);
                            }
                        },
                        pool);
            }
            CompletableFuture.allOf(all).join();
            return dropped.get();
        } catch (CompletionException e) {
            if (e.getCause() instanceof InternalError lost) {
                throw lost;
            }
            throw e;
        } finally {
            pool.shutdown();
        }
    }

    /** Returns when the disk has what was written before. */
    void sync(Disk disk) {
        for (FileSegment segment : segments) {
            segment.sync(disk);
        }
        // Before the file is said to be closed with all on the disk.
        disk.take(highWaters);
    }

    private FileSegment segment(HashKey key) {
        return segments[layout.segmentOf(key)];
    }

    @Override
    public boolean get(HashKey key, StoredValue using) {
        try {
            return segment(key).get(key, using);
        } catch (InternalError lost) {
            throw unreadable(lost);
        }
    }

    @Override
    public @Nullable String put(HashKey key, StoredValue value) {
        try {
            return segment(key).put(key, value);
        } catch (InternalError lost) {
            throw unreadable(lost);
        }
    }

    @Override
    public void remove(HashKey key, int slot) {
        try {
            segment(key).remove(key);
        } catch (InternalError lost) {
            throw unreadable(lost);
        }
    }

    @Override
    public int @Nullable [] inTheWay(HashKey key, int bytes, IntPredicate mayGo) {
        return segment(key).inTheWay(bytes / layout.chunkBytes(), mayGo);
    }

    @Override
    public List<Resident> beside(HashKey key) {
        try {
            return segment(key).residents();
        } catch (InternalError lost) {
            throw unreadable(lost);
        }
    }

    @Override
    public void compact(HashKey key) {
        try {
            segment(key).compact();
        } catch (InternalError lost) {
            throw unreadable(lost);
        }
    }

    /** What the JVM makes of a page that the disk does not give, or has no room for. */
    private static IllegalStateException unreadable(InternalError lost) {
        return new IllegalStateException(
                "the file of the local tier was cut short, has holes on a full disk, or its disk fails", lost);
    }

    @Override
    public long reservedBytes() {
        long bytes = layout.fileBytes();
        for (FileSegment segment : segments) {
            bytes += segment.indexBytes();
        }
        return bytes;
    }

    @Override
    public int size() {
        int size = 0;
        for (FileSegment segment : segments) {
            size += segment.size();
        }
        return size;
    }

    /** Pages of a file are the kernel's to drop. */
    @Override
    public Pages pages() {
        return KERNELS;
    }

    static final Pages KERNELS = new Pages() {
        @Override
        public int tiers() {
            return 1;
        }

        @Override
        public boolean canBeGivenBack() {
            return false;
        }

        @Override
        public long residentBytes(int tier) {
            return ResidentPages.UNKNOWN;
        }

        @Override
        public long release(int tier) {
            return 0;
        }
    };

    @Override
    public String description() {
        return "mapped file that outlives the process";
    }

    @Override
    public void close(boolean alone) {
        // Mappings last until nobody refers to them.
        closing.run();
    }
}
