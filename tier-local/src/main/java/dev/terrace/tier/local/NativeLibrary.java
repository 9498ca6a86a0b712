package dev.terrace.tier.local;

import com.kenai.jffi.MemoryIO;
import dev.terrace.api.SetupException;

/** What L1 needs to take memory outside the heap. Asked before anything else: later it would fail half-way, with an error that names none of this. */
final class NativeLibrary {
    private NativeLibrary() {}

    /** Throws one error that says what to do. */
    static void check() {
        try {
            MemoryIO.getInstance();
        } catch (LinkageError e) {
            throw new SetupException(
                    "the local tier cannot load the native library of jffi: " + e.getMessage(),
                    "let java.io.tmpdir be a folder that programs may be loaded from, name another by"
                            + " -Djffi.extract.dir=FOLDER, or set local_cache.enabled: false",
                    e);
        }
    }
}
