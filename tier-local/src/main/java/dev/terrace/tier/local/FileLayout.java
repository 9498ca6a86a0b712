package dev.terrace.tier.local;

/**
 * How the file is cut: a head, then segments of one size, each a power of two of them and less than 512 MiB.
 *
 * @param segments how many
 * @param segmentBytes of each, a multiple of the page and of the chunk
 * @param chunkBytes allocation unit
 * @param entriesPerSegment expected
 */
record FileLayout(int segments, int segmentBytes, int chunkBytes, int entriesPerSegment) {
    private static final int PAGE = 4096;

    static FileLayout of(MapShape shape) {
        long bytes = shape.layoutBytes();
        int segments = shape.segments();
        while (bytes / segments > MapShape.LARGEST_SEGMENT) {
            segments *= 2;
        }
        int perSegment = (int) ((bytes / segments + PAGE - 1) / PAGE * PAGE);
        return new FileLayout(segments, perSegment, shape.chunkBytes(), (int) Math.max(16, shape.entries() / segments));
    }

    long fileBytes() {
        return FileHeader.HEAD_BYTES + (long) segments * segmentBytes;
    }

    long segmentAt(int segment) {
        return FileHeader.HEAD_BYTES + (long) segment * segmentBytes;
    }

    /** Where the entries of a hash are. */
    int segmentOf(HashKey key) {
        return (int) (key.high >>> Integer.SIZE) & segments - 1;
    }
}
