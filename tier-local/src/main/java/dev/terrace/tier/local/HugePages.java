package dev.terrace.tier.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
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

    private final Shelf shelf;
    private final boolean never;
    private boolean asked;

    HugePages(Shelf shelf, boolean wanted) {
        this(shelf, wanted, OF_SYSTEM);
    }

    HugePages(Shelf shelf, boolean wanted, Path system) {
        this.shelf = shelf;
        this.never = !wanted || !isAllowed(system);
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

    /** Asks once a quarter is in use, and again after it has shrunk and grown. */
    void look() {
        if (never) {
            return;
        }
        boolean shrunk = shelf.budget.maxBytes() < shelf.shape.liveBytes();
        if (shrunk || shelf.budget.bytes() < shelf.shape.liveBytes() / FILLED) {
            asked &= !shrunk;
        } else if (!asked) {
            asked = true;
            ask();
        }
    }

    private void ask() {
        int pieces = 0;
        int moved = 0;
        for (EntryMap.Pages.Piece at = piece(0); at != EntryMap.Pages.Piece.NONE; at = piece(pieces)) {
            pieces++;
            moved += at == EntryMap.Pages.Piece.HUGE ? 1 : 0;
        }
        LOG.info(
                "local tier in huge pages pieces={} moved={} piece_bytes={}", pieces, moved, EntryMap.Pages.HUGE_BYTES);
    }

    /** One at a time: a writer waits for no more than the copying of one. */
    private EntryMap.Pages.Piece piece(int number) {
        ReentrantLock stripe = shelf.stripes.any();
        stripe.lock();
        try {
            return shelf.isClosed()
                    ? EntryMap.Pages.Piece.NONE
                    : shelf.map.pages().enlarge(number);
        } finally {
            stripe.unlock();
        }
    }
}
