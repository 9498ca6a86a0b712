package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the memory of a map lie in the system's huge pages once a quarter is in use: much of the time of a read in a large map goes into
 * finding where an address lies. Until then it stays in small ones, because a huge page takes all of its memory at once; and it goes back to them
 * when L1 has to shrink. One thread calls {@link #look}.
 *
 * <p>What the administrator said holds ({@code transparent_hugepage} in the kernel's documentation): {@code never} is never.
 */
final class HugePages {
    private static final Logger LOG = LoggerFactory.getLogger(HugePages.class);
    private static final Path OF_SYSTEM = Path.of("/sys/kernel/mm/transparent_hugepage");

    /** Less than one in so many bytes in use would make it costly. */
    private static final int FILLED = 4;

    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final Shelf shelf;
    private final boolean never;
    private int next;
    private int moved;
    private boolean done;

    HugePages(Shelf shelf, boolean wanted) {
        this.shelf = shelf;
        this.never = !wanted || !isAllowed();
    }

    /** Whether there are huge pages of the size that is expected here, and whoever asks may have them. */
    static boolean isAllowed(Path system) {
        try {
            return !Files.readString(system.resolve("enabled")).contains("[never]")
                    && Files.readString(system.resolve("hpage_pmd_size"))
                            .strip()
                            .equals("" + EntryMap.Pages.HUGE_BYTES);
        } catch (IOException notLinux) {
            return false; // Or a kernel without them.
        }
    }

    static boolean isAllowed() {
        return isAllowed(OF_SYSTEM);
    }

    /** Goes on asking as long as a quarter is in use, for a fifth of a second at a time, and begins anew after L1 has shrunk. */
    void look() {
        if (never) {
            return;
        }
        if (shelf.budget.maxBytes() < shelf.shape.liveBytes()) {
            next = 0;
            done = false;
            moved = 0;
        } else if (!done && shelf.budget.bytes() >= shelf.shape.liveBytes() / FILLED) {
            ask();
        }
    }

    /** Whether all that is there has been asked for. */
    boolean isDone() {
        return done;
    }

    private void ask() {
        long began = System.nanoTime();
        while (!done && System.nanoTime() - began < MOST_NANOS) {
            EntryMap.Pages.Piece piece = piece(next);
            done = piece == EntryMap.Pages.Piece.NONE;
            next += done ? 0 : 1;
            moved += piece == EntryMap.Pages.Piece.HUGE ? 1 : 0;
        }
        // A file's pages are none of those.
        if (done && next > 0) {
            LOG.info(
                    "local tier in huge pages pieces={} moved={} piece_bytes={}",
                    next,
                    moved,
                    EntryMap.Pages.PIECE_BYTES);
        }
    }

    /** With the sign of a reader, which whoever closes the map waits for, and no lock: nobody waits for more than the kernel's copying. */
    private EntryMap.Pages.Piece piece(int number) {
        ReadScratch mine = shelf.readers.mine();
        mine.enter();
        try {
            return shelf.isClosed()
                    ? EntryMap.Pages.Piece.NONE
                    : shelf.map.pages().enlarge(number);
        } finally {
            mine.leave();
        }
    }
}
